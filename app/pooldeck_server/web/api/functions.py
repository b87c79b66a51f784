"""What can be called, and what is on hold."""

from typing import Final

from fastapi import APIRouter, Request, Response

from pooldeck_server.advice import Advice
from pooldeck_server.domain.access import fits
from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.errors import NotFound, UnknownFunction
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.figures import FunctionFigures
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.bodies import PlacementChange, read_placement
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.reasons import MAY_SAY_WHY, reason_of
from pooldeck_server.web.api.schemas.functions import (
    FailedModule,
    Function,
    FunctionList,
    Statistics,
)
from pooldeck_server.web.http.dependencies import NamePath, ServerDep, SightDep
from pooldeck_server.web.http.responses import READING, WRITING, answer, bad, good, takes
from pooldeck_server.web.http.sight import Sight

router = APIRouter(prefix="/functions", tags=["functions"])

_WINDOW_MINUTES: Final = 60


@router.get("", responses=good(FunctionList, "All functions, by name.") | bad(*READING))
async def list_functions(server: ServerDep, sight: SightDep) -> Response:
    """List what can be called: signature, JSON Schema, options, statistics of the last hour."""
    functions = server.catalogue.functions()
    if not sight.is_whole:
        own = [_alone(each) for each in functions if _is_own(each, sight)]
        return answer(FunctionList(own, [], ()))
    figures, holds = await _figures(server), _holds(server)
    advice = {each.function: each for each in server.advisor.all()}
    items = [_shown(each, figures, holds, advice) for each in functions]
    failures = server.catalogue.failures.values() if sight.sees_values else ()
    failed = [FailedModule.of(failure) for failure in failures]
    return answer(FunctionList(items, failed, server.catalogue.empty_modules))


@router.get("/{name}", responses=good(Function, "The function.") | bad(*READING, 404))
async def get_function(server: ServerDep, sight: SightDep, name: NamePath) -> Response:
    """Return one function."""
    if not sight.is_whole:
        own = [each for each in server.catalogue.functions() if _is_own(each, sight)]
        found = next((each for each in own if each.spec.name == name), None)
        if found is None:
            raise NotFound(f"there is no function {name}")
        return answer(_alone(found))
    return await _one(server, name)


@router.post(
    "/{name}/hold",
    responses=good(Function, "The function, on hold.") | bad(*WRITING, 404, 409),
    openapi_extra=MAY_SAY_WHY,
)
async def hold_function(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Put a function on hold: its tasks wait, new ones are refused, also over a restart."""
    _known(server, name)
    await server.holds.hold(name, await reason_of(request, server))
    return await _one(server, name)


@router.post(
    "/{name}/pause",
    responses=good(Function, "The function, paused.") | bad(*WRITING, 404, 409),
    openapi_extra=MAY_SAY_WHY,
)
async def pause_function(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Pause a function: its tasks wait, new ones are taken and wait too, also over a restart."""
    _known(server, name)
    await server.holds.pause(name, await reason_of(request, server))
    return await _one(server, name)


@router.post(
    "/{name}/resume",
    responses=good(Function, "The function, resumed.") | bad(*WRITING, 404),
    openapi_extra=MAY_SAY_WHY,
)
async def resume_function(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Resume a function that is paused: its tasks run again."""
    await server.holds.resume(name, await reason_of(request, server))
    return await _one(server, name)


@router.post(
    "/{name}/release",
    responses=good(Function, "The function, released.") | bad(*WRITING, 404),
    openapi_extra=MAY_SAY_WHY,
)
async def release_function(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Release a function that is on hold: its tasks run again, and new ones are taken."""
    await server.holds.release(name, await reason_of(request, server))
    return await _one(server, name)


@router.post(
    "/{name}/placement",
    responses=good(Function, "The function, placed.") | bad(*WRITING, 404, 409),
    openapi_extra=takes(PlacementChange, {"pool": "io"}),
)
async def place_function(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Choose the pool of a function that leaves it to the server, or leave it to the server again.

    It counts for what is submitted from now on; tasks that wait stay in their pool.
    """
    change = await body_of(request, read_placement, server.settings.limits)
    await server.placements.place(name, change.pool, change.reason)
    return await _one(server, name)


def _known(server: Server, name: str) -> RegisteredFunction:
    try:
        return server.catalogue.get(name)
    except UnknownFunction as error:  # in a path it is the address that does not exist
        raise NotFound(error.detail) from None


async def _one(server: Server, name: str) -> Response:
    function = _known(server, name)
    given = server.advisor.of(name)
    advice = {name: given} if given else {}
    return answer(_shown(function, await _figures(server), _holds(server), advice))


def _is_own(function: RegisteredFunction, sight: Sight) -> bool:
    """Tell whether a function is for a principal; that its pool is another's need not matter."""
    principal = sight.principal
    return fits(principal.functions, function.spec.name)


def _alone(function: RegisteredFunction) -> Function:
    """Return a function without what became of its tasks: they may be those of others."""
    return _shown(function, {}, {}, {})


async def _figures(server: Server) -> dict[str, FunctionFigures]:
    since = server.clock.now() // MINUTE - _WINDOW_MINUTES + 1
    found = await server.read(queries.function_figures, since)
    return {figures.function: figures for figures in found}


def _holds(server: Server) -> dict[str, Hold]:
    return {hold.function: hold for hold in server.holds.all()}


def _shown(
    function: RegisteredFunction,
    figures: dict[str, FunctionFigures],
    holds: dict[str, Hold],
    advice: dict[str, Advice],
) -> Function:
    name = function.spec.name
    its = figures.get(name) or FunctionFigures(name, {}, {}, 0.0, 0.0)
    statistics = Statistics.of(its, _WINDOW_MINUTES * 60.0)
    return Function.of(function, statistics, holds.get(name), advice.get(name))

"""One function: what it is, its numbers, and the form that submits it."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from pooldeck.functions import RunOptions
from pooldeck_server.domain.errors import InvalidRequest, NotFound, PooldeckError, UnknownFunction
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.figures import Count, Durations
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.bodies import read_submission
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.functions.form import ARGUMENT, OPTIONS, FunctionForm, form
from pooldeck_server.web.pages.functions.form_values import FormErrors, body, typed
from pooldeck_server.web.pages.functions.view import FLASHES, LATEST, FunctionData, function_context
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import page
from pooldeck_server.web.text.formats import sentence

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/functions/{name}")
async def function(
    request: Request,
    server: ServerDep,
    name: str,
    task: Annotated[str | None, Query()] = None,
) -> Response:
    """Show a function; with `task`, its form is filled with that task's arguments."""
    registered = _registered(server, name)
    values = await _values_of(server, registered, task) if task else {}
    return await _show(request, server, registered, form(registered.spec, values))


@router.post("/functions/{name}")
async def submit(request: Request, server: ServerDep, name: str) -> Response:
    """Submit what the form says and show the task; or the form again, with what is wrong."""
    registered = _registered(server, name)
    async with request.form() as posted:
        values = {key: value for key, value in posted.items() if isinstance(value, str)}
    try:
        submission = read_submission(body(registered.spec, values), server.settings.limits)
        accepted = await server.intake.submit(submission)
    except FormErrors as error:
        refused = form(registered.spec, values, errors=error.errors)
        return await _show(request, server, registered, refused, InvalidRequest)
    except PooldeckError as error:
        refused = _explained(registered, values, error)
        return await _show(request, server, registered, refused, type(error))
    return RedirectResponse(f"/tasks/{accepted.task.id}", status_code=303)


@router.post("/functions/{name}/placement")
async def place(request: Request, server: ServerDep, name: str) -> Response:
    """Choose the pool of a function that leaves that to the server, or let the server choose."""
    pool = (await posted(request)).get("pool") or None
    await server.placements.place(name, pool)
    return done(f"/functions/{quote(name)}", "placed" if pool else "given_back")


def _registered(server: Server, name: str) -> RegisteredFunction:
    try:
        return server.catalogue.get(name)
    except UnknownFunction as error:
        raise NotFound(error.detail) from None


async def _values_of(
    server: Server, registered: RegisteredFunction, task_id: str
) -> dict[str, str]:
    """Return what one would type to submit the task again."""
    task = await server.tasks.get(task_id)
    if task.function != registered.spec.name or task.args is None or task.kwargs is None:
        return {}
    values = typed(registered.spec, task.args, task.kwargs) | {"tags": ", ".join(task.tags)}
    if task.placed is None and task.pool != registered.pool:
        values["pool"] = task.pool
    if task.priority != registered.spec.options.priority:
        values["priority"] = str(task.priority)
    return values | _run_options(registered, RunOptions.from_json(task.options))


def _run_options(registered: RegisteredFunction, options: RunOptions) -> dict[str, str]:
    """Return what one would type for the options that are not the function's own."""
    usual = registered.spec.options
    values = {}
    if options.timeout is not None and options.timeout != usual.timeout:
        values["timeout"] = str(options.timeout)
    if options.retries != usual.retries:
        values["retries"] = str(options.retries)
    return values


def _explained(
    registered: RegisteredFunction, values: Mapping[str, str], error: PooldeckError
) -> FunctionForm:
    """Return the form with an error beside the field that it is about, or else above all."""
    known = {ARGUMENT + parameter.name for parameter in registered.spec.parameters} | {*OPTIONS}
    argument, pointer = error.extra.get("argument"), error.extra.get("field", "")
    name = f"{ARGUMENT}{argument}" if argument else pointer.split("/")[-1]
    if name in known:
        return form(registered.spec, values, errors={name: f"{error.detail}."})
    return form(registered.spec, values, error=sentence(error.detail))


async def _show(
    request: Request,
    server: Server,
    registered: RegisteredFunction,
    shown: FunctionForm,
    error: type[PooldeckError] | None = None,
) -> Response:
    context = function_context(await _read(server, registered))
    context["flashed"] = flash(request.query_params, FLASHES)
    status = STATUS[error] if error else 200
    return page(request, "functions", "function.html", context | {"form": shown}, status)


async def _read(server: Server, registered: RegisteredFunction) -> FunctionData:
    name = registered.spec.name
    counts, durations, latest = await server.read(_figures, name)
    return FunctionData(
        function=registered,
        counts=counts,
        durations=durations,
        latest=latest,
        pools={shape.name: shape.size for shape in server.advisor.shapes()},
        hold=next((hold for hold in server.holds.all() if hold.function == name), None),
        advice=server.advisor.of(name),
        profiles=server.profiles.of(name),
    )


def _figures(
    connection: Connection, name: str
) -> tuple[list[Count], Durations, tuple[StoredTask, ...]]:
    latest = queries.tasks(connection, TaskFilter(functions=(name,)), LATEST)
    return queries.counts(connection), queries.durations(connection, name), latest.items

"""The functions: the list, and one of them with its numbers and the form that submits it."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from pooldeck.functions import RunOptions
from pooldeck_server.domain.errors import InvalidRequest, NotFound, PooldeckError, no_pool
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.bodies import read_submission
from pooldeck_server.web.api.reading import decoded
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.functions.confirm import (
    hold_question,
    pause_question,
    placement,
    risks_of_placing,
)
from pooldeck_server.web.pages.functions.data import FunctionData, read, read_function
from pooldeck_server.web.pages.functions.fields import ARGUMENT, fields
from pooldeck_server.web.pages.functions.form import OPTIONS, FunctionForm, form
from pooldeck_server.web.pages.functions.form_values import FormErrors, body, typed
from pooldeck_server.web.pages.functions.listing import functions_view
from pooldeck_server.web.pages.functions.order import FunctionOrder, read_order
from pooldeck_server.web.pages.functions.run_times import period_of
from pooldeck_server.web.pages.functions.view import function_view
from pooldeck_server.web.pages.shared.functions import registered
from pooldeck_server.web.pages.shared.posting import back_or, done, form_bytes, posted, reason
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.shared.snippets import Snippets, address_of, of_submission
from pooldeck_server.web.text.formats import sentence
from pooldeck_server.web.text.i18n import _

router = page_router()


@router.get("/functions")
async def functions(request: Request, server: ServerDep, q: str = "", sort: str = "") -> Response:
    order = read_order(sort)
    with_last = order is FunctionOrder.LAST
    found = await server.read(read, server.clock.now(), with_last=with_last)
    holds, advice = server.holds.all(), server.advisor.all()
    return render(request, functions_view(found, server.catalogue, holds, advice, q, order=order))


@router.get("/functions/{name}/hold")
async def ask_to_hold(request: Request, server: ServerDep, name: str) -> Response:
    function = registered(server.catalogue, name)
    return render(request, hold_question(function, await _waiting(server, name)))


@router.post("/functions/{name}/hold")
async def hold(request: Request, server: ServerDep, name: str) -> Response:
    registered(server.catalogue, name)
    await server.holds.hold(name, reason(await posted(request)))
    return done(_page_of(name), "held")


@router.get("/functions/{name}/pause")
async def ask_to_pause(request: Request, server: ServerDep, name: str) -> Response:
    function = registered(server.catalogue, name)
    return render(request, pause_question(function, await _waiting(server, name)))


@router.post("/functions/{name}/pause")
async def pause(request: Request, server: ServerDep, name: str) -> Response:
    registered(server.catalogue, name)
    await server.holds.pause(name, reason(await posted(request)))
    return done(_page_of(name), "paused")


@router.post("/functions/{name}/resume")
async def resume(server: ServerDep, name: str) -> Response:
    await server.holds.resume(name)
    return done(_page_of(name) if server.catalogue.has(name) else "/functions", "resumed")


@router.post("/functions/{name}/release")
async def release(request: Request, server: ServerDep, name: str) -> Response:
    form = await posted(request)
    await server.holds.release(name)
    page = _page_of(name) if server.catalogue.has(name) else "/functions"
    return back_or(form, done(page, "released"))


async def _waiting(server: Server, name: str) -> int:
    """Return how many tasks of a function are queued."""
    counts = await server.read(queries.counts)
    return sum(each.n for each in counts if each.function == name and each.state is State.QUEUED)


def _page_of(name: str) -> str:
    return f"/functions/{quote(name)}"


@router.get("/functions/{name}")
async def function(
    request: Request, server: ServerDep, name: str, task: str | None = None
) -> Response:
    found = registered(server.catalogue, name)
    data = await _data(request, server, found, task)
    values = _values_of(data.task, found) if data.task else {}
    return _page(request, server, found, data, form(found.spec, values))


@router.post("/functions/{name}")
async def submit(request: Request, server: ServerDep, name: str) -> Response:
    """Submit what the form says and show the task; or the form again, with what is wrong."""
    found = registered(server.catalogue, name)
    limits = server.settings.limits
    values = dict(await posted(request, form_bytes(limits.arguments_bytes)))
    try:
        submission = await decoded(read_submission, body(found.spec, values), limits)
        accepted = await server.intake.submit(submission)
    except (FormErrors, PooldeckError) as error:
        refused, status = _refused(found, values, error)
    else:
        return RedirectResponse(f"/tasks/{accepted.task.id}", status_code=303)
    data = await _data(request, server, found)
    return _page(request, server, found, data, refused, status=status)


@router.post("/functions/{name}/snippets")
async def spell(request: Request, server: ServerDep, name: str) -> Response:
    """Show what the form says as texts to copy; or what is wrong with it, as if it were sent."""
    found = registered(server.catalogue, name)
    limits = server.settings.limits
    values = dict(await posted(request, form_bytes(limits.arguments_bytes)))
    data = await _data(request, server, found)
    try:
        submission = await decoded(read_submission, body(found.spec, values), limits)
        server.intake.checks.of_call().check(submission)
    except (FormErrors, PooldeckError) as error:
        refused, status = _refused(found, values, error)
        return _page(request, server, found, data, refused, status=status)
    snippets = of_submission("typed", _("Submit this task"), address_of(request), submission, found)
    return _page(request, server, found, data, form(found.spec, values), snippets=snippets)


@router.post("/functions/{name}/placement")
async def place(request: Request, server: ServerDep, name: str) -> Response:
    """Place a function, or ask first where its code does something that may not work there."""
    values = await posted(request)
    pool = values.get("pool") or None
    if pool and not values.get("sure"):
        found = registered(server.catalogue, name)
        if found.placement and risks_of_placing(found, pool, server.settings.pool_kinds):
            question = f"/functions/{quote(name)}/placement?{urlencode({'pool': pool})}"
            return RedirectResponse(question, status_code=303)
    await server.placements.place(name, pool)
    return done(f"/functions/{quote(name)}", "placed" if pool else "given_back")


@router.get("/functions/{name}/placement")
async def ask_to_place(request: Request, server: ServerDep, name: str, pool: str) -> Response:
    kinds = server.settings.pool_kinds
    if pool not in kinds:
        raise NotFound(no_pool(pool, kinds))
    return render(request, placement(registered(server.catalogue, name), pool, kinds))


async def _data(
    request: Request, server: Server, function: RegisteredFunction, task: str | None = None
) -> FunctionData:
    return await server.read(
        read_function,
        function.spec.name,
        task,
        pool=function.pool,
        period=period_of(request.query_params),
        now=server.clock.now(),
    )


def _values_of(task: StoredTask, function: RegisteredFunction) -> dict[str, str]:
    if task.function != function.spec.name or task.args is None or task.kwargs is None:
        return {}
    values = typed(function.spec, task.args, task.kwargs) | {"tags": ", ".join(task.tags)}
    if task.placed is None and task.pool != function.pool:
        values["pool"] = task.pool
    if task.priority != function.spec.options.priority:
        values["priority"] = str(task.priority)
    return values | _run_options(function, RunOptions.from_json(task.options))


def _run_options(function: RegisteredFunction, options: RunOptions) -> dict[str, str]:
    usual = function.spec.options
    values = {}
    if options.timeout is not None and options.timeout != usual.timeout:
        values["timeout"] = str(options.timeout)
    if options.retries != usual.retries:
        values["retries"] = str(options.retries)
    return values


def _refused(
    function: RegisteredFunction, values: Mapping[str, str], error: FormErrors | PooldeckError
) -> tuple[FunctionForm, int]:
    """Return the form with what is wrong with it, and the status of the page."""
    if isinstance(error, FormErrors):
        return form(function.spec, values, errors=error.errors), STATUS[InvalidRequest]
    return _explained(function, values, error), STATUS[type(error)]


def _explained(
    function: RegisteredFunction, values: Mapping[str, str], error: PooldeckError
) -> FunctionForm:
    """Return the form with an error beside the field that it is about, or else above all."""
    arguments = {part.name for field in fields(function.spec) for part in field.all()}
    known = {ARGUMENT + name for name in arguments} | {*OPTIONS}
    argument, pointer = error.extra.get("argument"), error.extra.get("field", "")
    name = f"{ARGUMENT}{_part(argument, error.detail)}" if argument else pointer.split("/")[-1]
    if name not in known and argument:
        name = f"{ARGUMENT}{argument}"
    if name in known:
        return form(function.spec, values, errors={name: f"{error.detail}."})
    return form(function.spec, values, error=sentence(error.detail))


def _part(argument: str, detail: str) -> str:
    """Return the field of an argument, or of the part of it that a complaint begins with."""
    keys = _KEYS.match(detail.removeprefix(argument))
    return ".".join([argument, *_KEY.findall(keys[0])]) if keys else argument


_KEYS: Final = re.compile(r'(?:\["[^"]+"\])*')
_KEY: Final = re.compile(r'"([^"]+)"')


def _page(
    request: Request,
    server: Server,
    function: RegisteredFunction,
    data: FunctionData,
    form: FunctionForm,
    *,
    status: int = 200,
    snippets: Snippets | None = None,
) -> Response:
    name = function.spec.name
    shown = function_view(
        function,
        form,
        data,
        pools={pool: queue.pool.size for pool, queue in server.queues.items()},
        hold=next((hold for hold in server.holds.all() if hold.function == name), None),
        advice=server.advisor.of(name),
        profiles=server.profiles.of(name),
        snippets=snippets,
    )
    return render(request, shown, status)

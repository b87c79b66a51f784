"""One task: what became of it, its log, its values as they are, where it is, and its changes."""

from typing import Annotated, Final, Literal

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from msgspec.structs import replace

from pooldeck_server.domain.access import Role
from pooldeck_server.domain.errors import InvalidRequest, NotFound
from pooldeck_server.domain.pools.health import host_named, slot_of
from pooldeck_server.domain.pools.hosts import host_of
from pooldeck_server.domain.tasks.dependencies import RelatedTasks
from pooldeck_server.domain.tasks.log import LogWindow
from pooldeck_server.web.http.dependencies import MAX_NUMBER, ServerDep, SightDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.log_lines import LOG_LINES, read_level
from pooldeck_server.web.pages.shared.posting import done, posted, reason
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.task.confirm import delete_task, kill_task
from pooldeck_server.web.pages.task.data import TaskData, read, read_log
from pooldeck_server.web.pages.task.gone import gone_view
from pooldeck_server.web.pages.task.log import log_part, read_text
from pooldeck_server.web.pages.task.log_text import LINES_AT_ONCE, log_as_text
from pooldeck_server.web.pages.task.snippets import snippets
from pooldeck_server.web.pages.task.view import LogFragment, StackView, task_view
from pooldeck_server.web.text import formats

router = page_router()

_Number = Annotated[int | None, Query(ge=0, le=MAX_NUMBER)]
_LineNumber = Annotated[int, Query(ge=1, le=MAX_NUMBER)]
_MOST_AGAIN: Final = 20  # lines that were not finished when they were read


@router.get("/tasks/{task_id}")
async def task(
    request: Request,
    server: ServerDep,
    sight: SightDep,
    task_id: str,
    *,
    attempt: _Number = None,
    level: str | None = None,
    before: _Number = None,
    line: _Number = None,
    find: str = "",
) -> Response:
    window = LogWindow(LOG_LINES + 1, attempt=attempt, before=before, text=read_text(find))
    log_problem = ""
    try:
        window = replace(window, level=read_level(level))
    except InvalidRequest as error:
        log_problem = formats.sentence(error.detail)
    try:
        await sight.check_task(task_id, server)
        found = _seen(await server.read(read, task_id, window, line), sight)
    except NotFound:
        return render(request, await gone_view(server, sight, task_id), STATUS[NotFound])
    functions = (each for each in server.catalogue.functions() if each.problem is None)
    function = next((each for each in functions if each.spec.name == found.task.function), None)
    pools = server.health.all()
    shown = task_view(
        found,
        slot=slot_of(pools, task_id),
        host=host_named(pools, found.task.pool, host_of(found.task.worker)),
        waiting=sight.waiting(server.waiting.of(found.task, found.wait)),
        is_callable=function is not None,
        snippets=snippets(request, found.task, function, sight),
        expires_at=server.retention.expires_at(found.task),
        log_problem=log_problem,
        now=server.clock.now(),
    )
    return render(request, shown, STATUS[InvalidRequest] if log_problem else 200)


@router.get("/tasks/{task_id}/log")
async def log(
    request: Request,
    server: ServerDep,
    sight: SightDep,
    task_id: str,
    *,
    attempt: _Number = None,
    level: str | None = None,
    find: str = "",
    before: _Number = None,
    after: _Number = None,
    again: Annotated[
        list[Annotated[int, Query(ge=1, le=MAX_NUMBER)]], Query(max_length=_MOST_AGAIN)
    ] = [],  # noqa: B006 - FastAPI's
) -> Response:
    window = LogWindow(
        LOG_LINES + 1,
        attempt=attempt,
        after=after,
        before=before,
        level=read_level(level),
        again=tuple(again),
        text=read_text(find),
    )
    await sight.check_task(task_id, server)
    found = await server.read(read_log, task_id, window)
    return render(request, LogFragment(log_part(found)))


@router.get("/tasks/{task_id}/log.txt")
async def log_text(
    server: ServerDep,
    sight: SightDep,
    task_id: str,
    *,
    attempt: _Number = None,
    level: str | None = None,
    find: str = "",
) -> Response:
    """Return an attempt's log as one text, of what is searched for as well."""
    task = await sight.get(task_id, server)
    number = attempt or task.attempt
    window = LogWindow(LINES_AT_ONCE, number, 0, level=read_level(level), text=read_text(find))
    name = f"{task_id}-{number}.log"
    return StreamingResponse(
        log_as_text(server, task_id, window),
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/tasks/{task_id}/{name}.json")
async def value(
    server: ServerDep, sight: SightDep, task_id: str, name: Literal["args", "kwargs", "result"]
) -> Response:
    """Return arguments or the result exactly as they are stored; what is sensitive, redacted."""
    found = await sight.get(task_id, server)
    text: str | None = getattr(found, name)
    if text is None:
        raise NotFound(f"task {task_id} has no {name}")
    return Answer(text.encode())


@router.get("/tasks/{task_id}/stack")
async def stack(request: Request, server: ServerDep, sight: SightDep, task_id: str) -> Response:
    await sight.check_task(task_id, server)
    found = await server.stack(task_id)
    return render(request, StackView(found.task, found.text or "", found.no_contact))


@router.post("/tasks/{task_id}/cancel")
async def cancel(server: ServerDep, sight: SightDep, task_id: str) -> Response:
    await sight.check_task(task_id, server)
    return done(f"/tasks/{task_id}", (await server.tasks.cancel(task_id)).outcome)


@router.get("/tasks/{task_id}/kill")
async def ask_to_kill(
    request: Request, server: ServerDep, sight: SightDep, task_id: str
) -> Response:
    found = await sight.get(task_id, server)
    return render(request, kill_task(found, slot_of(server.health.all(), task_id)))


@router.post("/tasks/{task_id}/kill")
async def kill(request: Request, server: ServerDep, sight: SightDep, task_id: str) -> Response:
    await sight.check_task(task_id, server)
    why = reason(await posted(request))
    cancelled = await server.tasks.cancel(task_id, kill=True, reason=why)
    return done(f"/tasks/{task_id}", cancelled.ending or cancelled.outcome)


@router.get("/tasks/{task_id}/delete")
async def ask_to_delete(request: Request, server: ServerDep, task_id: str) -> Response:
    return render(request, delete_task(await server.tasks.get(task_id)))


@router.post("/tasks/{task_id}/delete")
async def delete(request: Request, server: ServerDep, task_id: str) -> Response:
    await server.deletion.delete(task_id, reason(await posted(request)))
    return done("/tasks", "many", deleted="1")


@router.post("/tasks/{task_id}/keep")
async def keep(server: ServerDep, task_id: str) -> Response:
    await server.deletion.keep(task_id, is_kept=True)
    return done(f"/tasks/{task_id}", "is_kept")


@router.post("/tasks/{task_id}/unkeep")
async def unkeep(server: ServerDep, task_id: str) -> Response:
    await server.deletion.keep(task_id, is_kept=False)
    return done(f"/tasks/{task_id}", "let_go")


@router.post("/tasks/{task_id}/retry")
async def retry(server: ServerDep, sight: SightDep, task_id: str) -> Response:
    await sight.check_task(task_id, server)
    await server.tasks.retry(task_id)
    return done(f"/tasks/{task_id}", "retried")


def _seen(found: TaskData, sight: Sight) -> TaskData:
    """Return of a task's page what may be shown."""
    attempts = [sight.attempt(each) for each in found.attempts]
    found = replace(found, task=sight.task(found.task), attempts=attempts)
    if not sight.sees_values:
        found = replace(found, log=(), beginning=(), left_out=0, log_of_worker=None)
    if sight.principal.role is not Role.ADMIN:
        found = replace(found, actions=())  # they name people and their addresses
    if not sight.is_whole:
        found = replace(found, around=RelatedTasks(), pipeline=None, runs=(), log_of_worker=None)
    return found

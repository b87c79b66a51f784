"""One task: what became of it, its log, its values as they are, where it is, and its changes."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.health import slot_of
from pooldeck_server.domain.tasks.log import LogWindow
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.pages.shared.posting import done, posted, reason
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.shared.tracebacks import traceback_parts
from pooldeck_server.web.pages.task.confirm import kill_task
from pooldeck_server.web.pages.task.data import read, read_log
from pooldeck_server.web.pages.task.log import LOG_LINES, log_part, read_level
from pooldeck_server.web.pages.task.view import LogFragment, StackView, task_view

router = page_router()

_Number = Annotated[int | None, Query(ge=0)]


@router.get("/tasks/{task_id}")
async def task(
    request: Request,
    server: ServerDep,
    task_id: str,
    *,
    attempt: _Number = None,
    level: str | None = None,
    before: _Number = None,
) -> Response:
    window = LogWindow(LOG_LINES + 1, attempt=attempt, before=before, level=read_level(level))
    found = await server.read(read, task_id, window)
    functions = server.catalogue.functions()
    shown = task_view(
        found,
        slot=slot_of(server.health.all(), task_id),
        is_callable=any(
            each.spec.name == found.task.function and each.problem is None for each in functions
        ),
        now=server.clock.now(),
    )
    return render(request, shown)


@router.get("/tasks/{task_id}/log")
async def log(
    request: Request,
    server: ServerDep,
    task_id: str,
    *,
    attempt: _Number = None,
    level: str | None = None,
    before: _Number = None,
    after: _Number = None,
) -> Response:
    window = LogWindow(
        LOG_LINES + 1, attempt=attempt, after=after, before=before, level=read_level(level)
    )
    found = await server.read(read_log, task_id, window)
    return render(request, LogFragment(log_part(found)))


@router.get("/tasks/{task_id}/{name}.json")
async def value(
    server: ServerDep, task_id: str, name: Literal["args", "kwargs", "result"]
) -> Response:
    """Return arguments or the result exactly as they are stored; what is sensitive, redacted."""
    found = await server.tasks.get(task_id)
    text: str | None = getattr(found, name)
    if text is None:
        raise NotFound(f"task {task_id} has no {name}")
    return Answer(text.encode())


@router.get("/tasks/{task_id}/stack")
async def stack(request: Request, server: ServerDep, task_id: str) -> Response:
    found = await server.stack(task_id)
    return render(request, StackView(found.task, traceback_parts(found.text or "")))


@router.post("/tasks/{task_id}/cancel")
async def cancel(server: ServerDep, task_id: str) -> Response:
    return done(f"/tasks/{task_id}", (await server.tasks.cancel(task_id)).outcome)


@router.get("/tasks/{task_id}/kill")
async def ask_to_kill(request: Request, server: ServerDep, task_id: str) -> Response:
    found = await server.tasks.get(task_id)
    return render(request, kill_task(found, slot_of(server.health.all(), task_id)))


@router.post("/tasks/{task_id}/kill")
async def kill(request: Request, server: ServerDep, task_id: str) -> Response:
    why = reason(await posted(request))
    cancelled = await server.tasks.cancel(task_id, kill=True, reason=why)
    return done(f"/tasks/{task_id}", cancelled.ending or cancelled.outcome)


@router.post("/tasks/{task_id}/retry")
async def retry(server: ServerDep, task_id: str) -> Response:
    await server.tasks.retry(task_id)
    return done(f"/tasks/{task_id}", "retried")

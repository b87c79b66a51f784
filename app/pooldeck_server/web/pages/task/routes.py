"""One task: what became of it, its log, its values as they are, and where it is."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import slot_of
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.log import LogWindow
from pooldeck_server.domain.tasks.pipelines import StoredPipeline
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import bare_page, page
from pooldeck_server.web.pages.shared.tracebacks import traceback_parts
from pooldeck_server.web.pages.task.log import LOG_LINES, log_part, read_level
from pooldeck_server.web.pages.task.view import FLASHES, TaskData, task_context

router = APIRouter(include_in_schema=False, route_class=PageRoute)

AttemptNumber = Annotated[int | None, Query(ge=0)]
LineNumber = Annotated[int | None, Query(ge=0)]


@router.get("/tasks/{task_id}")
async def task(
    request: Request,
    server: ServerDep,
    task_id: str,
    *,
    attempt: AttemptNumber = None,
    level: str | None = None,
    before: LineNumber = None,
) -> Response:
    """Show one task, with a part of the log of an attempt, by default the end of the latest."""
    window = LogWindow(LOG_LINES + 1, attempt=attempt, before=before, level=read_level(level))
    context = task_context(await _read(server, task_id, window))
    context["flashed"] = flash(request.query_params, FLASHES)
    return page(request, "tasks", "task.html", context)


@router.get("/tasks/{task_id}/log")
async def log(
    request: Request,
    server: ServerDep,
    task_id: str,
    *,
    attempt: AttemptNumber = None,
    level: str | None = None,
    before: LineNumber = None,
    after: LineNumber = None,
) -> Response:
    """Return a part of a log alone, for a page that has the rest of it."""
    window = LogWindow(
        LOG_LINES + 1, attempt=attempt, after=after, before=before, level=read_level(level)
    )
    found = await server.tasks.get(task_id)
    lines = await server.read(queries.log_window, task_id, window)
    shown = log_part(task_id, attempt or found.attempt, window, lines)
    return bare_page(request, "task/log_lines.html", {"log": shown})


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
    """Show where a running task is at this moment."""
    found = await server.stack(task_id)
    parts = traceback_parts(found.text or "")
    return page(request, "tasks", "stack.html", {"task": found.task, "parts": parts})


async def _read(server: Server, task_id: str, window: LogWindow) -> TaskData:
    found = await server.tasks.get(task_id)
    callable_names = {
        function.spec.name for function in server.catalogue.functions() if function.problem is None
    }
    return TaskData(
        task=found,
        attempts=await _attempts(server, found),
        window=window,
        log=await server.read(queries.log_window, task_id, window),
        runs=await server.read(queries.latest_runs, found.function, found.seq),
        durations=await server.read(queries.durations, found.function),
        kill=await _kill(server, found),
        are_erased=await server.read(queries.are_arguments_erased, task_id),
        slot=slot_of(server.health.all(), task_id),
        is_callable=found.function in callable_names,
        now=server.clock.now(),
        around=await server.read(queries.related_tasks, found.seq),
        pipeline=await _pipeline(server, found),
    )


async def _pipeline(server: Server, task: StoredTask) -> StoredPipeline | None:
    if task.dependencies is None or task.dependencies.pipeline is None:
        return None
    return await server.read(queries.pipeline, task.dependencies.pipeline)


async def _attempts(server: Server, task: StoredTask) -> list[StoredAttempt]:
    """Return the attempts of a task; none where the task itself is all there is to say."""
    waits_again = task.attempt == 1 and task.state in LIVE - {State.RUNNING}
    if task.attempt > 1 or waits_again:
        return await server.read(queries.attempts, task.id)
    return []


async def _kill(server: Server, task: StoredTask) -> StoredAnnotation | None:
    """Return the note of a kill by hand, if the task may have been killed."""
    may_be = task.state is State.CANCELLED or task.error_kind == ErrorKind.ABANDONED
    if not may_be or task.started_at is None:
        return None
    return await server.read(queries.kill_of, task.id, task.started_at)

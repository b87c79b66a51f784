"""One task: what became of it, its log, its values as they are, and where it is."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import slot_of
from pooldeck_server.domain.tasks.log_window import LogWindow
from pooldeck_server.domain.tasks.pipelines import StoredPipeline
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.domain.tasks.task import StoredAttempt, StoredTask
from pooldeck_server.runtime.server import Service
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServiceDep
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
    service: ServiceDep,
    task_id: str,
    *,
    attempt: AttemptNumber = None,
    level: str | None = None,
    before: LineNumber = None,
) -> Response:
    """Show one task, with a part of the log of an attempt, by default the end of the latest."""
    window = LogWindow(LOG_LINES + 1, attempt=attempt, before=before, level=read_level(level))
    context = task_context(await _read(service, task_id, window))
    context["flashed"] = flash(request.query_params, FLASHES)
    return page(request, "tasks", "task/page.html", context)


@router.get("/tasks/{task_id}/log")
async def log(
    request: Request,
    service: ServiceDep,
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
    found = await service.task(task_id)
    lines = await service.read(queries.log_window, task_id, window)
    shown = log_part(task_id, attempt or found.attempt, window, lines)
    return bare_page(request, "task/log_lines.html", {"log": shown})


@router.get("/tasks/{task_id}/{name}.json")
async def value(
    service: ServiceDep, task_id: str, name: Literal["args", "kwargs", "result"]
) -> Response:
    """Return arguments or the result exactly as they are stored; what is sensitive, redacted."""
    found = await service.task(task_id)
    text: str | None = getattr(found, name)
    if text is None:
        raise NotFound(f"task {task_id} has no {name}")
    return Answer(text.encode())


@router.get("/tasks/{task_id}/stack")
async def stack(request: Request, service: ServiceDep, task_id: str) -> Response:
    """Show where a running task is at this moment."""
    found = await service.stack(task_id)
    parts = traceback_parts(found.text or "")
    return page(request, "tasks", "task/stack.html", {"task": found.task, "parts": parts})


async def _read(service: Service, task_id: str, window: LogWindow) -> TaskData:
    found = await service.task(task_id)
    callable_names = {
        function.spec.name for function in service.catalogue.functions() if function.problem is None
    }
    return TaskData(
        task=found,
        attempts=await _attempts(service, found),
        window=window,
        log=await service.read(queries.log_window, task_id, window),
        runs=await service.read(queries.latest_runs, found.function, found.seq),
        durations=await service.read(queries.durations, found.function),
        kill=await _kill(service, found),
        are_erased=await service.read(queries.are_arguments_erased, task_id),
        slot=slot_of(service.pools(), task_id),
        is_callable=found.function in callable_names,
        now=service.clock.now(),
        around=await service.read(queries.neighbours, found.seq),
        pipeline=await _pipeline(service, found),
    )


async def _pipeline(service: Service, task: StoredTask) -> StoredPipeline | None:
    if task.link is None or task.link.pipeline is None:
        return None
    return await service.read(queries.pipeline, task.link.pipeline)


async def _attempts(service: Service, task: StoredTask) -> list[StoredAttempt]:
    """Return the attempts of a task; none where the task itself is all there is to say."""
    waits_again = task.attempt == 1 and task.state in LIVE - {State.RUNNING}
    if task.attempt > 1 or waits_again:
        return await service.read(queries.attempts, task.id)
    return []


async def _kill(service: Service, task: StoredTask) -> StoredAnnotation | None:
    """Return the note of a kill by hand, if the task may have been killed."""
    may_be = task.state is State.CANCELLED or task.error_kind == ErrorKind.ABANDONED
    if not may_be or task.started_at is None:
        return None
    return await service.read(queries.kill_of, task.id, task.started_at)

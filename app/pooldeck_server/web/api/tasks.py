"""Finding and following tasks."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pooldeck_server.store import queries
from pooldeck_server.web.api.filters import TaskQuery
from pooldeck_server.web.api.queries import asks, read_query
from pooldeck_server.web.api.schemas.attempts import Attempt, AttemptList, LogLine, LogLines, Stack
from pooldeck_server.web.api.schemas.tasks import Task, TaskList
from pooldeck_server.web.api.schemas.types import shown, timestamp
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit, ServerDep, TaskIdPath, Wait
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.get(
    "",
    responses=good(TaskList, "A page of tasks.") | bad(*READING),
    openapi_extra=asks(TaskQuery),
)
async def list_tasks(server: ServerDep, request: Request) -> Response:
    """List tasks: the newest first, or by `sort` what ended last or ran longest.

    Only tasks that have ended are in the lists by end and by run time, and in the latter only those
    that ran 10 ms or longer.
    """
    query = read_query(TaskQuery, request)
    page = await server.read(
        queries.tasks, query.as_filter(), query.limit, query.cursor, sort=query.sort
    )
    return answer(TaskList(list(map(Task.of, page.items)), page.next_cursor))


@router.get("/{task_id}", responses=good(Task, "The task.") | bad(*READING, 404))
async def get_task(server: ServerDep, task_id: TaskIdPath, wait: Wait = 0.0) -> Response:
    """Return a task; with `wait`, as soon as it has ended or the time is over."""
    return answer(Task.of(await server.wait(task_id, wait)))


@router.get(
    "/{task_id}/attempts", responses=good(AttemptList, "The attempts.") | bad(*READING, 404)
)
async def list_attempts(server: ServerDep, task_id: TaskIdPath) -> Response:
    """List the attempts of a task, oldest first; none before it is first handed to a worker."""
    await server.tasks.get(task_id)
    attempts = await server.read(queries.attempts, task_id)
    return answer(AttemptList([Attempt.of(attempt) for attempt in attempts]))


@router.get("/{task_id}/logs", responses=good(LogLines, "Lines of the log.") | bad(*READING, 404))
async def list_log_lines(
    server: ServerDep,
    task_id: TaskIdPath,
    after: Annotated[int, Query(ge=0, description="`next_after` of the part before.")] = 0,
    limit: Limit = DEFAULT_LIMIT,
    attempt: Annotated[
        int | None, Query(ge=1, description="Which attempt's; by default the latest.")
    ] = None,
) -> Response:
    """Return the log of an attempt, in order."""
    await server.tasks.get(task_id)
    entries = await server.read(queries.logs, task_id, after, limit, attempt)
    items = [shown(LogLine, entry, at=timestamp(entry.at)) for entry in entries]
    return answer(LogLines(items, items[-1].n if len(items) == limit else None))


@router.get("/{task_id}/stack", responses=good(Stack, "Where it is.") | bad(*READING, 404, 409))
async def show_stack(server: ServerDep, task_id: TaskIdPath) -> Response:
    """Show where a running task is at this moment; it is not disturbed by that."""
    return answer(Stack.of(await server.stack(task_id)))

"""Finding and following tasks."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from pooldeck_server.store import queries
from pooldeck_server.web.api.csv_rows import FORMATS
from pooldeck_server.web.api.filters import TaskExportQuery, TaskQuery
from pooldeck_server.web.api.queries import asks, read_query
from pooldeck_server.web.api.schemas.attempts import Attempt, AttemptList, Stack
from pooldeck_server.web.api.schemas.logs import LogLines
from pooldeck_server.web.api.schemas.tasks import Task, TaskList
from pooldeck_server.web.api.shown import shown_task
from pooldeck_server.web.api.task_export import exported
from pooldeck_server.web.http.dependencies import (
    DEFAULT_LIMIT,
    MAX_NUMBER,
    After,
    Limit,
    ServerDep,
    SightDep,
    TaskIdPath,
    Wait,
)
from pooldeck_server.web.http.responses import READING, Responses, answer, bad, good

router = APIRouter(prefix="/tasks", tags=["tasks"])

_TEXT: Final = {"schema": {"type": "string"}}
_FILE: Responses = {
    200: {
        "description": "Those that fit, in the order that was asked for, as they are sent.",
        "content": dict.fromkeys(FORMATS.values(), _TEXT),
    }
}


@router.get(
    "",
    responses=good(TaskList, "A page of tasks.") | bad(*READING),
    openapi_extra=asks(TaskQuery),
)
async def list_tasks(server: ServerDep, request: Request, sight: SightDep) -> Response:
    """List tasks: the newest first, or by `sort` what ended last or ran longest.

    Only tasks that have ended are in the lists by end and by run time, and in the latter only those
    that ran 10 ms or longer.
    """
    query = read_query(TaskQuery, request)
    wanted = await sight.narrowed(query.as_filter(), server)
    page = await server.read(queries.tasks, wanted, query.limit, query.cursor, sort=query.sort)
    items = sight.tasks(page.items)
    waits = {name: sight.waiting(each) for name, each in server.waiting.of_all(items).items()}
    shown = [shown_task(server, each, waits.get(each.id)) for each in items]
    return answer(TaskList(shown, page.next_cursor))


@router.get("/export", responses=_FILE | bad(*READING), openapi_extra=asks(TaskExportQuery))
async def export_tasks(server: ServerDep, request: Request, sight: SightDep) -> Response:
    """Export what a list shows, as CSV for a spreadsheet or as lines of JSON.

    A file has 100,000 tasks at most: for those beyond, ask for a shorter time. Arguments, results
    and errors of more than 4,096 characters are left out, as in lists.
    """
    asked = read_query(TaskExportQuery, request)
    wanted = await sight.narrowed(asked.as_filter(), server)
    name = f"tasks.{asked.format}"
    return StreamingResponse(
        exported(server, sight, wanted, asked.sort, asked.format),
        media_type=FORMATS[asked.format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/{task_id}", responses=good(Task, "The task.") | bad(*READING, 404))
async def get_task(
    server: ServerDep, sight: SightDep, task_id: TaskIdPath, wait: Wait = 0.0
) -> Response:
    """Return a task; with `wait`, as soon as it has ended or the time is over."""
    await sight.check_task(task_id, server)
    task = await server.wait(task_id, wait)
    waiting = sight.waiting(await server.why_waiting(task))
    return answer(shown_task(server, sight.task(task), waiting))


@router.get(
    "/{task_id}/attempts", responses=good(AttemptList, "The attempts.") | bad(*READING, 404)
)
async def list_attempts(server: ServerDep, sight: SightDep, task_id: TaskIdPath) -> Response:
    """List the attempts of a task, oldest first; none before it is first handed to a worker."""
    await sight.get(task_id, server)
    attempts = map(sight.attempt, await server.read(queries.attempts, task_id))
    return answer(AttemptList([Attempt.of(attempt) for attempt in attempts]))


@router.get("/{task_id}/logs", responses=good(LogLines, "Lines of the log.") | bad(*READING, 404))
async def list_log_lines(
    server: ServerDep,
    sight: SightDep,
    task_id: TaskIdPath,
    *,
    after: After = 0,
    limit: Limit = DEFAULT_LIMIT,
    attempt: Annotated[
        int | None,
        Query(ge=1, le=MAX_NUMBER, description="Which attempt's; by default the latest."),
    ] = None,
) -> Response:
    """Return the log of an attempt, in order."""
    task = await sight.get(task_id, server)
    chosen = attempt or task.attempt
    lines = await server.read(queries.logs, task_id, after, limit, chosen)
    return answer(LogLines.of(lines, limit, chosen))


@router.get("/{task_id}/stack", responses=good(Stack, "Where it is.") | bad(*READING, 404, 409))
async def show_stack(server: ServerDep, sight: SightDep, task_id: TaskIdPath) -> Response:
    """Show where a running task is at this moment; it is not disturbed by that."""
    await sight.check_task(task_id, server)
    return answer(Stack.of(await server.stack(task_id)))

"""Changing, cancelling and retrying tasks: one, or all that are meant."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.tasks.edits import TaskEdit
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.api.bodies import CancelRequest, read_cancel_request, read_edit
from pooldeck_server.web.api.reading import body_of, bytes_of_selection
from pooldeck_server.web.api.reasons import MAY_SAY_WHY, reason_of
from pooldeck_server.web.api.schemas.tasks import Cancellation, Task
from pooldeck_server.web.api.selections import (
    BulkCancel,
    BulkRetry,
    read_bulk_cancel,
    read_bulk_retry,
    selected,
)
from pooldeck_server.web.api.shown import shown_task
from pooldeck_server.web.http.dependencies import ServerDep, SightDep, TaskIdPath
from pooldeck_server.web.http.responses import WRITING, answer, bad, good, takes

router = APIRouter(prefix="/tasks", tags=["tasks"])

_FAILED: Final[dict[str, Any]] = {
    "filter": {"state": ["failed", "lost"], "since": "2026-11-30T09:00:00Z"}
}
_QUEUED: Final[dict[str, Any]] = {
    "filter": {"function": ["examples.pictures.resize_image"]},
    "kill": False,
}


@router.post(
    "/cancel",
    responses=good(BulkDone, "How many are meant, and what became of how many.") | bad(*WRITING),
    openapi_extra=takes(BulkCancel, _QUEUED),
)
async def cancel_tasks(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Cancel all tasks that a filter fits, or those named; what has ended stays as it is."""
    wanted = await body_of(request, read_bulk_cancel, server.settings.limits, bytes_of_selection)
    meant = await sight.meant(selected(wanted), server)
    done = await server.tasks.cancel_all(meant, kill=wanted.kill, reason=wanted.reason)
    return answer(done)


@router.post(
    "/retry",
    responses=good(BulkDone, "How many are meant, and what became of how many.") | bad(*WRITING),
    openapi_extra=takes(BulkRetry, _FAILED),
)
async def retry_tasks(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Run all final tasks that a filter fits, or those named, again."""
    wanted = await body_of(request, read_bulk_retry, server.settings.limits, bytes_of_selection)
    chosen = await sight.meant(selected(wanted), server)
    return answer(await server.tasks.retry_all(chosen, wanted.reason))


@router.post(
    "/{task_id}/cancel",
    responses=good(Cancellation, "What cancelling did.") | bad(*WRITING, 404),
    openapi_extra=takes(CancelRequest, {"kill": True, "reason": "it hangs"}, required=False),
)
async def cancel_task(
    request: Request, server: ServerDep, sight: SightDep, task_id: TaskIdPath
) -> Response:
    """Cancel a task that has not started, or ask one that runs to end itself.

    With `kill`, one that runs in a process is ended with its worker, and a declared command is
    ended wherever it runs. A function that runs in a thread cannot be ended and is abandoned: its
    slot is free again, and its outcome does not count.
    """
    wanted = await body_of(request, read_cancel_request, server.settings.limits, is_optional=True)
    await sight.check_task(task_id, server)
    cancelled = await server.tasks.cancel(task_id, kill=wanted.kill, reason=wanted.reason)
    return answer(Cancellation(cancelled.outcome, shown_task(server, sight.task(cancelled.task))))


@router.patch(
    "/{task_id}",
    responses=good(Task, "The task, as it is then.") | bad(*WRITING, 404, 409, 429),
    openapi_extra=takes(TaskEdit, {"priority": 10, "run_at": None, "reason": "it is urgent"}),
)
async def edit_task(
    request: Request, server: ServerDep, sight: SightDep, task_id: TaskIdPath
) -> Response:
    """Change what a task that has not started will do: its priority, time, pool or arguments.

    With `run_at` null it runs as soon as a slot is free, also one that waits to be run again.
    Either what is answered is what runs, or the change is refused and nothing of it is done.
    """
    wanted = await body_of(request, read_edit, server.settings.limits)
    await sight.check_edit(task_id, wanted, server)
    return answer(shown_task(server, sight.task(await server.edits.edit(task_id, wanted))))


@router.post(
    "/{task_id}/retry",
    responses=good(Task, "The task, queued again.") | bad(*WRITING, 404, 409),
    openapi_extra=MAY_SAY_WHY,
)
async def retry_task(
    request: Request, server: ServerDep, sight: SightDep, task_id: TaskIdPath
) -> Response:
    """Run a final task again, as a new attempt of the same task."""
    await sight.check_task(task_id, server)
    reason = await reason_of(request, server)
    return answer(shown_task(server, sight.task(await server.tasks.retry(task_id, reason))))

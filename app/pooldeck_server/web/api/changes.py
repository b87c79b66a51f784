"""Cancelling and retrying tasks: one, or all that are meant."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.api.bodies import CancelRequest, read_or_default
from pooldeck_server.web.api.schemas.tasks import Cancellation, Task
from pooldeck_server.web.api.selections import (
    BulkCancel,
    BulkRetry,
    read_selection,
    selected,
)
from pooldeck_server.web.http.dependencies import ServerDep, TaskIdPath
from pooldeck_server.web.http.request_body import json_body, optional_json_body
from pooldeck_server.web.http.responses import CHANGING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/tasks", tags=["tasks"])

_FAILED: Final[dict[str, Any]] = {
    "filter": {"state": ["failed", "lost"], "since": "2026-11-30T09:00:00Z"}
}
_QUEUED: Final[dict[str, Any]] = {
    "filter": {"function": ["examples.jobs.resize_image"]},
    "kill": False,
}


@router.post(
    "/cancel",
    responses=good(BulkDone, "How many are meant, and what became of how many.") | bad(*WRITING),
    openapi_extra=takes(BulkCancel, _QUEUED),
)
async def cancel_tasks(request: Request, server: ServerDep) -> Response:
    """Cancel all tasks that a filter fits, or those named; what has ended stays as it is."""
    wanted = read_selection(BulkCancel, await json_body(request), server.settings.limits)
    done = await server.tasks.cancel_all(selected(wanted), kill=wanted.kill, reason=wanted.reason)
    return answer(done)


@router.post(
    "/retry",
    responses=good(BulkDone, "How many are meant, and what became of how many.") | bad(*WRITING),
    openapi_extra=takes(BulkRetry, _FAILED),
)
async def retry_tasks(request: Request, server: ServerDep) -> Response:
    """Run all final tasks that a filter fits, or those named, again."""
    wanted = read_selection(BulkRetry, await json_body(request), server.settings.limits)
    return answer(await server.tasks.retry_all(selected(wanted)))


@router.post(
    "/{task_id}/cancel",
    responses=good(Cancellation, "What cancelling did.") | bad(*WRITING, 404),
    openapi_extra=takes(CancelRequest, {"kill": True, "reason": "it hangs"}, required=False),
)
async def cancel_task(request: Request, server: ServerDep, task_id: TaskIdPath) -> Response:
    """Cancel a task that has not started, or ask one that runs to end itself.

    With `kill`, one that runs in a process is ended with its worker, and a declared command is
    ended wherever it runs. A function that runs in a thread cannot be ended and is abandoned: its
    slot is free again, and its outcome does not count.
    """
    wanted = read_or_default(
        CancelRequest, await optional_json_body(request), server.settings.limits
    )
    cancelled = await server.tasks.cancel(task_id, kill=wanted.kill, reason=wanted.reason)
    return answer(Cancellation(cancelled.outcome, Task.of(cancelled.task)))


@router.post(
    "/{task_id}/retry",
    responses=good(Task, "The task, queued again.") | bad(*CHANGING, 404, 409, 429),
)
async def retry_task(server: ServerDep, task_id: TaskIdPath) -> Response:
    """Run a final task again, as a new attempt of the same task."""
    return answer(Task.of(await server.tasks.retry(task_id)))

"""Deleting tasks, and keeping them from being deleted."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.api.reading import body_of, bytes_of_selection
from pooldeck_server.web.api.reasons import MAY_SAY_WHY, reason_of
from pooldeck_server.web.api.schemas.retention import DeletionInfo
from pooldeck_server.web.api.schemas.tasks import DeletedTask, Task
from pooldeck_server.web.api.selections import BulkDelete, read_bulk_delete, selected
from pooldeck_server.web.api.shown import shown_task
from pooldeck_server.web.http.dependencies import ServerDep, TaskIdPath
from pooldeck_server.web.http.responses import CHANGING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/tasks", tags=["tasks"])

_DELETIONS: Final = "/api/v1/deletions"
_OLD: Final[dict[str, Any]] = {
    "filter": {"function": ["examples.pictures.resize_image"], "until": "2026-11-01T00:00:00Z"},
    "dry_run": True,
}


@router.post(
    "/delete",
    responses=good(BulkDone, "How many are meant, and what became of how many.")
    | good(DeletionInfo, "They are many: they are deleted from now on.", 202)
    | bad(*WRITING, 409),
    openapi_extra=takes(BulkDelete, _OLD),
)
async def delete_tasks(request: Request, server: ServerDep) -> Response:
    """Delete all final tasks that a filter fits, or those named, with all that is theirs.

    What others may still need stays (`needed`), as does what somebody keeps (`kept`). Tasks of
    pipelines go where the filter names their pipelines and nothing else; else they stay
    (`in_pipeline`).

    Where more than 2,000 have ended, the answer comes at once: 202, with a deletion to look at. It
    goes on by itself until the server ends, and one goes on at a time: another is 409 meanwhile.
    """
    wanted = await body_of(request, read_bulk_delete, server.settings.limits, bytes_of_selection)
    meant = selected(wanted)
    if wanted.dry_run:
        return answer(BulkDone(await server.deletion.count(meant), {}))
    done = await server.deletions.delete(meant, wanted.reason)
    if isinstance(done, BulkDone):
        return answer(done)
    return answer(DeletionInfo.of(done), 202, (b"location", f"{_DELETIONS}/{done.id}".encode()))


@router.delete(
    "/{task_id}",
    responses=good(DeletedTask, "It is gone.") | bad(*WRITING, 404, 409),
    openapi_extra=MAY_SAY_WHY,
)
async def delete_task(request: Request, server: ServerDep, task_id: TaskIdPath) -> Response:
    """Delete a final task with its attempts, log and all else that is its."""
    await server.deletion.delete(task_id, await reason_of(request, server))
    return answer(DeletedTask(task_id))


@router.post(
    "/{task_id}/keep", responses=good(Task, "The task, which stays.") | bad(*CHANGING, 404)
)
async def keep_task(server: ServerDep, task_id: TaskIdPath) -> Response:
    """Keep a task from being deleted, however old it is."""
    return answer(shown_task(server, await server.deletion.keep(task_id, is_kept=True)))


@router.post(
    "/{task_id}/unkeep",
    responses=good(Task, "The task, which goes when it is its time.") | bad(*CHANGING, 404),
)
async def unkeep_task(server: ServerDep, task_id: TaskIdPath) -> Response:
    """Let a task go again when it is its time."""
    return answer(shown_task(server, await server.deletion.keep(task_id, is_kept=False)))

"""Changing a task that has not started, on its page: at once, or by a form."""

from collections.abc import Mapping

from fastapi import Request, Response

from pooldeck_server.domain.errors import Conflict, InvalidRequest, PooldeckError
from pooldeck_server.domain.tasks.edits import TaskEdit
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import read_edit
from pooldeck_server.web.api.reading import decoded
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.posting import done, form_bytes, posted
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.task.edit import (
    EditView,
    UnreadableEditError,
    about,
    edit_body,
    edit_view,
)

router = page_router()


@router.get("/tasks/{task_id}/edit")
async def ask_to_edit(
    request: Request, server: ServerDep, sight: SightDep, task_id: str
) -> Response:
    task = await sight.get(task_id, server)
    if task.state not in {State.QUEUED, State.SCHEDULED}:
        raise Conflict(f"task {task_id} is {task.state}: only what has not started can be changed")
    return render(request, _view(server, sight, task))


@router.post("/tasks/{task_id}/edit")
async def edit(request: Request, server: ServerDep, sight: SightDep, task_id: str) -> Response:
    """Change what the form says, and show the task; or the form again, with what is wrong."""
    limits = server.settings.limits
    typed = dict(await posted(request, form_bytes(limits.arguments_bytes)))
    task = await sight.get(task_id, server)
    try:
        body = edit_body(task, typed)
        if body is None:
            return done(f"/tasks/{task_id}", "not_edited")
        wanted = await decoded(read_edit, body, limits)
        await sight.check_edit(task_id, wanted, server)
        await server.edits.edit(task_id, wanted)
    except UnreadableEditError as wrong:
        view = _view(server, sight, task, typed, (wrong.errors, None))
        return render(request, view, STATUS[InvalidRequest])
    except PooldeckError as refusal:
        view = _view(server, sight, task, typed, about(refusal, task))
        return render(request, view, STATUS[type(refusal)])
    return done(f"/tasks/{task_id}", "edited")


@router.post("/tasks/{task_id}/run-now")
async def run_now(server: ServerDep, sight: SightDep, task_id: str) -> Response:
    await sight.check_task(task_id, server)
    await server.edits.edit(task_id, TaskEdit(run_at=None))
    return done(f"/tasks/{task_id}", "run_now")


def _view(
    server: Server,
    sight: Sight,
    task: StoredTask,
    typed: Mapping[str, str] | None = None,
    wrong: tuple[Mapping[str, str], str | None] = ({}, None),
) -> EditView:
    """Return the form of a task, with what is `wrong`: by the names of fields, and beside them."""
    catalogue = server.catalogue
    has_function = catalogue.has(task.function)
    sensitive = catalogue.get(task.function).spec.options.sensitive if has_function else ()
    return edit_view(
        task,
        [pool for pool in server.queues if sight.principal.may_reach(task.function, pool)],
        is_sensitive=bool(sensitive),
        typed=typed,
        errors=wrong[0],
        error=wrong[1],
    )

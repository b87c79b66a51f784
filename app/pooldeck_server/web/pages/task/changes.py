"""What people do with one task: cancel it, kill it, run it again."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.pools.health import slot_of
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.confirmation import kill_task
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import confirmation

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.post("/tasks/{task_id}/cancel")
async def cancel(server: ServerDep, task_id: str) -> Response:
    """Cancel a task, or ask it to end itself where it runs."""
    return done(f"/tasks/{task_id}", (await server.tasks.cancel(task_id)).outcome)


@router.get("/tasks/{task_id}/kill")
async def ask_to_kill(request: Request, server: ServerDep, task_id: str) -> Response:
    """Say what killing a task means, and ask."""
    found = await server.tasks.get(task_id)
    return confirmation(request, kill_task(found, slot_of(server.health.all(), task_id)))


@router.post("/tasks/{task_id}/kill")
async def kill(request: Request, server: ServerDep, task_id: str) -> Response:
    """Kill a task that runs; the form may say why."""
    why = (await posted(request)).get("reason", "").strip() or None
    cancelled = await server.tasks.cancel(task_id, kill=True, reason=why)
    return done(f"/tasks/{task_id}", cancelled.ending or cancelled.outcome)


@router.post("/tasks/{task_id}/retry")
async def retry(server: ServerDep, task_id: str) -> Response:
    """Run a task that has ended again."""
    await server.tasks.retry(task_id)
    return done(f"/tasks/{task_id}", "retried")

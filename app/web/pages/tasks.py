"""The list of tasks."""

from fastapi import APIRouter, Request, Response

from app.store import queries
from app.web.contexts.tasks import PAGE_SIZE, read_filter, tasks_context
from app.web.contexts.told import told_of_many
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/tasks")
async def tasks(request: Request, service: ServiceDep) -> Response:
    """Show the tasks that fit a filter, newest first."""
    wanted = read_filter(request.query_params)
    cursor = request.query_params.get("cursor") or None
    found = await service.read(queries.tasks, wanted, PAGE_SIZE, cursor)
    choices = {
        "function": [function.spec.name for function in service.catalogue.functions()],
        "pool": list(service.settings.pools),
    }
    counts = service.feed.latest().counts
    context = tasks_context(wanted, found, counts, choices, is_first=cursor is None)
    context["told"] = told_of_many(request.query_params)
    return page(request, "tasks", "tasks.html", context)

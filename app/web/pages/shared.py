"""What tasks share."""

from fastapi import APIRouter, Request, Response

from app.web.contexts.shared import shared_context
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/shared")
async def shared(request: Request, service: ServiceDep) -> Response:
    """Show the names of shared state, who holds its locks, and how long it lives."""
    state = service.shared
    context = shared_context(await state.picture(), state.limits, state.lost_at)
    return page(request, "shared", "shared.html", context)

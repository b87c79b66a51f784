"""What tasks share."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import page
from pooldeck_server.web.pages.shared_state.view import shared_context

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/shared")
async def shared(request: Request, server: ServerDep) -> Response:
    """Show the names of shared state, who holds its locks, and how long it lives."""
    state = server.shared
    context = shared_context(await state.picture(), state.limits, state.lost_at)
    return page(request, "shared", "shared.html", context)

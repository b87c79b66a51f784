"""Incidents: the list, and one of them."""

from fastapi import APIRouter, Request, Response

from app.domain.errors import NotFound
from app.store import queries
from app.web.contexts.incidents import PAGE_SIZE, incident_context, incidents_context
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/incidents")
async def incidents(
    request: Request, service: ServiceDep, pool: str = "", cursor: str = ""
) -> Response:
    """Show the unexpected deaths of workers, newest first."""
    found = await service.read(queries.incidents, PAGE_SIZE, cursor or None, pool or None)
    context = incidents_context(found, pool, is_first=not cursor)
    return page(request, "incidents", "incidents.html", context)


@router.get("/incidents/{incident_id}")
async def incident(request: Request, service: ServiceDep, incident_id: str) -> Response:
    """Show one incident."""
    found = await service.read(queries.incident, incident_id)
    if found is None:
        raise NotFound(f"there is no incident {incident_id}")
    return page(request, "incidents", "incident.html", incident_context(found))

"""Incidents: every unexpected death of a worker."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.store import queries
from pooldeck_server.web.api.schemas.incidents import Incident, IncidentList
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit, NamePath, ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(prefix="/incidents", tags=["incidents"])


@router.get("", responses=good(IncidentList, "A page, newest first.") | bad(*READING))
async def list_incidents(
    server: ServerDep,
    pool: Annotated[str | None, Query(max_length=200, description="Only of this pool.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
) -> Response:
    """List incidents, newest first."""
    page = await server.read(queries.incidents, limit, cursor, pool)
    return answer(IncidentList(list(map(Incident.of, page.items)), page.next_cursor))


@router.get("/{name}", responses=good(Incident, "The incident.") | bad(*READING, 404))
async def get_incident(server: ServerDep, name: NamePath) -> Response:
    """Return one incident: cause, culprit, bystanders, and how long the pool was not whole."""
    found = await server.read(queries.incident, name)
    if found is None:
        raise NotFound(f"there is no incident {name}")
    return answer(Incident.of(found))

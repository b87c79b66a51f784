"""Incidents: the list, and the report of one of them."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from pooldeck.pools.memory import MemoryWatch
from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.errors import NotFound, UnknownFunction
from pooldeck_server.domain.failures.incidents import (
    CulpritCount,
    IncidentPage,
    StoredIncident,
    TaskToday,
)
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.incidents.listing import (
    PAGE_SIZE,
    Wanted,
    incidents_context,
    read_wanted,
)
from pooldeck_server.web.pages.incidents.view import (
    NEARBY_MINUTES,
    OTHERS,
    IncidentData,
    ids_of,
    incident_context,
)
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/incidents")
async def incidents(request: Request, server: ServerDep, cursor: str = "") -> Response:
    """Show the unexpected deaths of workers, newest first."""
    wanted = read_wanted(request.query_params)
    found, culprits = await server.read(_listed, wanted, cursor, server.clock.now())
    pools = list(server.settings.pools)
    context = incidents_context(found, wanted, pools, culprits, is_first=not cursor)
    return page(request, "incidents", "incidents.html", context)


@router.get("/incidents/{incident_id}")
async def incident(request: Request, server: ServerDep, incident_id: str) -> Response:
    """Show the report of one incident."""
    found = await server.read(queries.incident, incident_id)
    if found is None:
        raise NotFound(f"there is no incident {incident_id}")
    context = incident_context(await _read(server, found))
    return page(request, "incidents", "incident.html", context)


def _listed(
    connection: Connection, wanted: Wanted, cursor: str, now: int
) -> tuple[IncidentPage, list[CulpritCount]]:
    since = wanted.after(now)
    pool = wanted.pool or None
    found = queries.incidents(
        connection,
        PAGE_SIZE,
        cursor or None,
        pool,
        function=wanted.function or None,
        cause=wanted.cause or None,
        since=since,
    )
    return found, queries.incident_culprits(connection, pool, since)


async def _read(server: Server, found: StoredIncident) -> IncidentData:
    """Read what belongs to the report of an incident."""
    function = found.culprit.function if found.culprit else None
    tasks, others, nearby = await server.read(_around, found, function)
    return IncidentData(
        incident=found,
        tasks=tasks,
        others=others,
        hold=next((hold for hold in server.holds.all() if hold.function == function), None),
        nearby=nearby,
        workers=[worker for pool in server.health.all() for worker in pool.workers],
        memory_bytes=MemoryWatch().limit_bytes(),
        may_rerun=_may_rerun(server, function),
    )


def _around(
    connection: Connection, found: StoredIncident, function: str | None
) -> tuple[dict[str, TaskToday], tuple[StoredIncident, ...], list[StoredAnnotation]]:
    others = queries.incidents(connection, OTHERS + 1, function=function, cause=found.cause)
    since, until = (found.detected_at + sign * NEARBY_MINUTES * MINUTE for sign in (-1, 1))
    nearby = queries.annotations(connection, since=since, until=until, pool=found.pool)
    return queries.tasks_today(connection, ids_of(found)), others.items, nearby


def _may_rerun(server: Server, function: str | None) -> bool | None:
    try:
        return server.catalogue.get(function or "").spec.options.idempotent
    except UnknownFunction:
        return None

"""Incidents: the list, and the report of one of them."""

from fastapi import Request, Response

from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck_server.domain.errors import UnknownFunction
from pooldeck_server.domain.pools.health import host_named
from pooldeck_server.domain.pools.hosts import host_of
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.incidents.data import read, read_incident
from pooldeck_server.web.pages.incidents.listing import incidents_view, read_wanted
from pooldeck_server.web.pages.incidents.view import incident_view
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()


@router.get("/incidents")
async def incidents(request: Request, server: ServerDep, cursor: str = "") -> Response:
    wanted = read_wanted(request.query_params)
    found, culprits = await server.read(read, wanted, cursor or None, server.clock.now())
    pools = list(server.settings.pools)
    return render(request, incidents_view(found, wanted, pools, culprits, is_first=not cursor))


@router.get("/incidents/{incident_id}")
async def incident(request: Request, server: ServerDep, incident_id: str) -> Response:
    found = await server.read(read_incident, incident_id)
    culprit = found.incident.culprit
    function = culprit.function if culprit else ""
    pools = server.health.all()
    shown = incident_view(
        found,
        host=host_named(pools, found.incident.pool, host_of(found.incident.worker)),
        hold=next((hold for hold in server.holds.all() if hold.function == function), None),
        workers=[worker for pool in pools for worker in pool.workers],
        memory_bytes=MemoryWatch().limit_bytes(),
        may_rerun=_may_rerun(server, function),
    )
    return render(request, shown)


def _may_rerun(server: Server, function: str) -> bool | None:
    try:
        return server.catalogue.get(function).spec.options.idempotent
    except UnknownFunction:
        return None

"""Hosts: the machines that pools' workers are on, and what can be done to them."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from pooldeck_server.web.api.reasons import MAY_SAY_WHY, reason_of
from pooldeck_server.web.api.schemas.hosts import PoolHost, PoolHostList
from pooldeck_server.web.api.schemas.pools import Pool
from pooldeck_server.web.http.dependencies import NamePath, ServerDep, SightDep
from pooldeck_server.web.http.responses import READING, WRITING, answer, bad, good

router = APIRouter(tags=["pools"])

_POOL: Final = good(Pool, "The pool.")
_HostPath = Annotated[str, Path(max_length=100)]


@router.get("/hosts", responses=good(PoolHostList, "All hosts.") | bad(*READING))
async def list_hosts(server: ServerDep, sight: SightDep) -> Response:
    """Return what is known of the hosts of every pool, of those that are for a limited token."""
    pools = sight.pools(server.health.all())
    return answer(PoolHostList([PoolHost.of(host) for pool in pools for host in pool.hosts or ()]))


@router.post(
    "/pools/{name}/hosts/{host}/drain",
    responses=_POOL | bad(*WRITING, 404),
    openapi_extra=MAY_SAY_WHY,
)
async def drain_host(
    request: Request, server: ServerDep, name: NamePath, host: _HostPath
) -> Response:
    """Hand a host nothing new, and let it go when nothing runs there any more."""
    reason = await reason_of(request, server)
    return answer(Pool.of(await server.pools.drain_host(name, host, reason)))


@router.post(
    "/pools/{name}/hosts/{host}/end",
    responses=_POOL | bad(*WRITING, 404),
    openapi_extra=MAY_SAY_WHY,
)
async def end_host(
    request: Request, server: ServerDep, name: NamePath, host: _HostPath
) -> Response:
    """End a host at once; what runs there is cut off, and is lost or run again."""
    reason = await reason_of(request, server)
    return answer(Pool.of(await server.pools.end_host(name, host, reason)))

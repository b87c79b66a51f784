"""The pools: their settings, their workers, and what can be done to both."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import Connection

from pooldeck.cpus import usable_cpus
from pooldeck_server.domain.errors import InvalidRequest, NotFound
from pooldeck_server.domain.pools.annotations import MAX_REASON, StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth, WorkerHealth
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import MAX_POOL_SIZE
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.pools import confirm as confirm_pools
from pooldeck_server.web.pages.pools.view import (
    FLASHES,
    LATELY,
    PoolsData,
    pools_context,
    size_means,
)
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done, posted, whole
from pooldeck_server.web.pages.shared.rendering import confirmation, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_READ: Final = 4 * LATELY  # annotations of a pool: some are about functions of other pools


@router.get("/pools")
async def pools(request: Request, server: ServerDep, pool: str = "") -> Response:
    """Show the pools with their settings and workers."""
    read = PoolsData(
        pools=server.health.all(),
        settings=server.settings.pools,
        annotations=await server.read(_lately, list(server.settings.pools)),
        homes={each.spec.name: each.pool for each in server.catalogue.functions()},
        advice={each.pool.name: each for each in await server.sizes.all()},
        cpus=usable_cpus(),
    )
    context = pools_context(read, pool, flash(request.query_params, FLASHES))
    return page(request, "pools", "pools.html", context)


@router.get("/pools/{name}/size")
async def size_in_words(
    server: ServerDep, name: str, size: Annotated[int, Query(ge=1, le=MAX_POOL_SIZE)]
) -> Response:
    """Say what a size would mean, while somebody moves the slider."""
    return PlainTextResponse(size_means(server.health.pool(name), size, usable_cpus()))


@router.post("/pools/{name}/resize")
async def resize(request: Request, server: ServerDep, name: str) -> Response:
    """Give a pool another number of slots."""
    size = whole(await posted(request), "size", 1, MAX_POOL_SIZE)
    await server.pools.resize(name, size)
    return _done(name, "resized")


@router.post("/pools/{name}/pause")
async def pause(server: ServerDep, name: str) -> Response:
    """Hand nothing out from a pool's queue any more."""
    await server.pools.pause(name)
    return _done(name, "paused")


@router.post("/pools/{name}/resume")
async def resume(server: ServerDep, name: str) -> Response:
    """Let a paused or stopped pool run again."""
    await server.pools.resume(name)
    return _done(name, "resumed")


@router.get("/pools/{name}/drain")
async def ask_to_drain(request: Request, server: ServerDep, name: str) -> Response:
    """Say what draining a pool means, and ask."""
    return confirmation(request, confirm_pools.drain(server.health.pool(name)))


@router.post("/pools/{name}/drain")
async def drain(request: Request, server: ServerDep, name: str) -> Response:
    """Let a pool finish what runs, and stop it then."""
    await server.pools.drain(name, reason=await _reason(request))
    return _done(name, "draining")


@router.get("/pools/{name}/restart")
async def ask_to_restart(request: Request, server: ServerDep, name: str) -> Response:
    """Say what restarting a pool means, and ask."""
    return confirmation(request, confirm_pools.restart(server.health.pool(name)))


@router.post("/pools/{name}/restart")
async def restart(request: Request, server: ServerDep, name: str) -> Response:
    """Replace a pool's workers one by one."""
    await server.pools.restart(name, reason=await _reason(request))
    return _done(name, "restarting")


@router.get("/workers/{worker_id}/kill")
async def ask_to_kill(request: Request, server: ServerDep, worker_id: str) -> Response:
    """Say what killing a worker means, and ask."""
    return confirmation(request, confirm_pools.kill_worker(*_worker(server, worker_id)))


@router.post("/workers/{worker_id}/kill")
async def kill(request: Request, server: ServerDep, worker_id: str) -> Response:
    """Kill a worker."""
    reason = await _reason(request)
    return _done((await server.pools.kill_worker(worker_id, reason=reason)).name, "killed")


def _lately(connection: Connection, pools: list[str]) -> dict[str, list[StoredAnnotation]]:
    return {pool: queries.annotations(connection, pool=pool, limit=_READ) for pool in pools}


def _worker(server: Server, worker_id: str) -> tuple[PoolHealth, WorkerHealth]:
    for pool in server.health.all():
        for worker in pool.workers:
            if worker.id == worker_id:
                return pool, worker
    raise NotFound(f"there is no worker {worker_id}; it may have ended")


async def _reason(request: Request) -> str | None:
    """Return the reason that was given in the form, None if there is none.

    Raises:
        InvalidRequest: If it is too long to be kept.
    """
    reason = (await posted(request)).get("reason", "").strip()
    if len(reason) > MAX_REASON:
        raise InvalidRequest(f"reason: at most {MAX_REASON} characters, not {len(reason)}")
    return reason or None


def _done(pool: str, did: str) -> Response:
    return done("/pools", did, fragment=pool, pool=pool)

"""The pools: their settings, their workers, and what can be done to both."""

from fastapi import APIRouter, Request, Response

from app.domain.errors import NotFound
from app.domain.health import PoolHealth, WorkerHealth
from app.runtime.service import Service
from app.web.bodies import MAX_POOL_SIZE
from app.web.contexts import confirm
from app.web.contexts.pools import SAID, pools_context
from app.web.contexts.told import told
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.pages.posting import done, posted, whole
from app.web.rendering import confirmation, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/pools")
async def pools(request: Request, service: ServiceDep, pool: str = "") -> Response:
    """Show the pools with their settings and workers."""
    said = told(request.query_params, SAID)
    context = pools_context(service.pools(), service.settings.pools, (pool, said))
    return page(request, "pools", "pools.html", context)


@router.post("/pools/{name}/resize")
async def resize(request: Request, service: ServiceDep, name: str) -> Response:
    """Give a pool another number of slots."""
    size = whole(await posted(request), "size", 1, MAX_POOL_SIZE)
    await service.resize_pool(name, size)
    return _done(name, "resized")


@router.post("/pools/{name}/pause")
async def pause(service: ServiceDep, name: str) -> Response:
    """Hand nothing out from a pool's queue any more."""
    await service.pause_pool(name)
    return _done(name, "paused")


@router.post("/pools/{name}/resume")
async def resume(service: ServiceDep, name: str) -> Response:
    """Let a pool that is paused, draining or stopped go on."""
    await service.resume_pool(name)
    return _done(name, "resumed")


@router.post("/pools/{name}/drain")
async def drain(service: ServiceDep, name: str) -> Response:
    """Let a pool finish what runs, and stop it then."""
    await service.drain_pool(name)
    return _done(name, "draining")


@router.post("/pools/{name}/restart")
async def restart(service: ServiceDep, name: str) -> Response:
    """Replace a pool's workers one by one."""
    await service.restart_pool(name)
    return _done(name, "restarting")


@router.get("/workers/{worker_id}/kill")
async def ask_to_kill(request: Request, service: ServiceDep, worker_id: str) -> Response:
    """Say what killing a worker means, and ask."""
    return confirmation(request, confirm.kill_worker(*_worker(service, worker_id)))


@router.post("/workers/{worker_id}/kill")
async def kill(service: ServiceDep, worker_id: str) -> Response:
    """Kill a worker."""
    return _done((await service.kill_worker(worker_id)).name, "killed")


def _worker(service: Service, worker_id: str) -> tuple[PoolHealth, WorkerHealth]:
    for pool in service.pools():
        for worker in pool.workers:
            if worker.id == worker_id:
                return pool, worker
    raise NotFound(f"there is no worker {worker_id}; it may have ended")


def _done(pool: str, did: str) -> Response:
    return done("/pools", did, fragment=pool, pool=pool)

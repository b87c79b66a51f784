"""The pools: their settings, their workers, and what can be done to both."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import PlainTextResponse

from pooldeck.cpus import usable_cpus
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.health import PoolHealth, WorkerHealth
from pooldeck_server.runtime.server import Service
from pooldeck_server.web.api.bodies import MAX_POOL_SIZE
from pooldeck_server.web.http.dependencies import ServiceDep
from pooldeck_server.web.pages.pools import confirm as confirm_pools
from pooldeck_server.web.pages.pools.data import read
from pooldeck_server.web.pages.pools.view import PoolsView, pool_section, size_means
from pooldeck_server.web.pages.shared.posting import done, posted, reason, whole
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()


@router.get("/pools")
async def pools(request: Request, service: ServiceDep, pool: str = "") -> Response:
    """Show the pools with their settings and workers."""
    settings = service.settings.pools
    annotations = await service.read(read, list(settings))
    homes = {each.spec.name: each.pool for each in service.catalogue.functions()}
    advice = {each.pool.name: each for each in await service.sizes.all()}
    sections = [
        pool_section(
            each,
            settings[each.name],
            annotations[each.name],
            homes=homes,
            advice=advice[each.name],
            cpus=usable_cpus(),
        )
        for each in service.pools()
    ]
    return render(request, PoolsView(sections, pool))


@router.get("/pools/{name}/size")
async def size_in_words(
    service: ServiceDep, name: str, size: Annotated[int, Query(ge=1, le=MAX_POOL_SIZE)]
) -> Response:
    """Say what a size would mean, while somebody moves the slider."""
    return PlainTextResponse(size_means(service.pool(name), size, usable_cpus()))


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
    """Let a paused or stopped pool run again."""
    await service.resume_pool(name)
    return _done(name, "resumed")


@router.get("/pools/{name}/drain")
async def ask_to_drain(request: Request, service: ServiceDep, name: str) -> Response:
    """Say what draining a pool means, and ask."""
    return render(request, confirm_pools.drain(service.pool(name)))


@router.post("/pools/{name}/drain")
async def drain(request: Request, service: ServiceDep, name: str) -> Response:
    """Let a pool finish what runs, and stop it then."""
    await service.drain_pool(name, reason=reason(await posted(request)))
    return _done(name, "draining")


@router.get("/pools/{name}/restart")
async def ask_to_restart(request: Request, service: ServiceDep, name: str) -> Response:
    """Say what restarting a pool means, and ask."""
    return render(request, confirm_pools.restart(service.pool(name)))


@router.post("/pools/{name}/restart")
async def restart(request: Request, service: ServiceDep, name: str) -> Response:
    """Replace a pool's workers one by one."""
    await service.restart_pool(name, reason=reason(await posted(request)))
    return _done(name, "restarting")


@router.get("/workers/{worker_id}/kill")
async def ask_to_kill(request: Request, service: ServiceDep, worker_id: str) -> Response:
    """Say what killing a worker means, and ask."""
    return render(request, confirm_pools.kill_worker(*_worker(service, worker_id)))


@router.post("/workers/{worker_id}/kill")
async def kill(request: Request, service: ServiceDep, worker_id: str) -> Response:
    """Kill a worker."""
    pool = await service.kill_worker(worker_id, reason=reason(await posted(request)))
    return _done(pool.name, "killed")


def _worker(service: Service, worker_id: str) -> tuple[PoolHealth, WorkerHealth]:
    for pool in service.pools():
        for worker in pool.workers:
            if worker.id == worker_id:
                return pool, worker
    raise NotFound(f"there is no worker {worker_id}; it may have ended")


def _done(pool: str, did: str) -> Response:
    return done("/pools", did, fragment=pool, pool=pool)

"""The pools: their settings, their workers, and what can be done to both."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import PlainTextResponse

from pooldeck_server.domain.errors import NotFound, no_pool
from pooldeck_server.domain.pools.health import PoolHealth, WorkerHealth
from pooldeck_server.domain.pools.hosts import HostHealth
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import MAX_HOSTS, MAX_POOL_SIZE
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.pages.pools import confirm as confirm_pools
from pooldeck_server.web.pages.pools.data import read
from pooldeck_server.web.pages.pools.machine import shown_machine
from pooldeck_server.web.pages.pools.sizes import meaning, meaning_on_hosts
from pooldeck_server.web.pages.pools.view import PoolsView, pool_section
from pooldeck_server.web.pages.shared.posting import back_or, done, posted, reason, whole
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()


@router.get("/pools")
async def pools(
    request: Request, server: ServerDep, sight: SightDep, pool: str = "", size: str = ""
) -> Response:
    """Show the pools; with `pool` and `size`, what that size of it would mean."""
    settings = server.settings.pools
    annotations = await server.read(read, list(settings))
    homes = {each.spec.name: each.pool for each in server.catalogue.functions()}
    advice = {each.pool.name: each for each in await server.sizes.all()}
    memory = server.memories.all(advice.values())
    asked = _size(size)
    sections = [
        pool_section(
            each,
            settings[each.name],
            sight.annotations(annotations[each.name]),
            homes=homes,
            advice=advice[each.name],
            memory=memory[each.name],
            asked=asked if each.name == pool else None,
        )
        for each in map(sight.pool, server.health.all())
    ]
    here = next((each.health.name for each in sections if each.health.hosts is None), None)
    machine = None if here is None else shown_machine(advice[here], memory[here])
    return render(request, PoolsView(sections, machine, pool))


def _size(text: str) -> int | None:
    """Return the size that an address asks about; None where it asks about none that there is."""
    is_number = text.isdecimal() and len(text) <= len(str(MAX_POOL_SIZE))
    return int(text) if is_number and 1 <= int(text) <= MAX_POOL_SIZE else None


@router.get("/pools/{name}/size")
async def size_in_words(
    server: ServerDep, name: str, size: Annotated[int, Query(ge=1, le=MAX_POOL_SIZE)]
) -> Response:
    """Say what a size would mean, while somebody moves the slider."""
    advice = {each.pool.name: each for each in await server.sizes.all()}
    if name not in advice:
        raise NotFound(no_pool(name, server.queues))
    memory = server.memories.all(advice.values())
    pool = server.health.pool(name)
    if pool.hosts is not None:
        return PlainTextResponse(meaning_on_hosts(size, pool))
    return PlainTextResponse(meaning(size, memory[name], advice[name]))


@router.post("/pools/{name}/resize")
async def resize(request: Request, server: ServerDep, name: str) -> Response:
    form = await posted(request)
    await server.pools.resize(name, whole(form, "size", 1, MAX_POOL_SIZE), reason(form))
    return _done(name, "resized")


@router.post("/pools/{name}/hosts")
async def want_hosts(request: Request, server: ServerDep, name: str) -> Response:
    form = await posted(request)
    await server.pools.want_hosts(name, whole(form, "hosts", 1, MAX_HOSTS), reason(form))
    return _done(name, "hosts_wanted")


@router.post("/pools/{name}/pause")
async def pause(server: ServerDep, name: str) -> Response:
    await server.pools.pause(name)
    return _done(name, "paused")


@router.post("/pools/{name}/resume")
async def resume(request: Request, server: ServerDep, name: str) -> Response:
    form = await posted(request)
    await server.pools.resume(name)
    return back_or(form, _done(name, "resumed"))


@router.get("/pools/{name}/drain")
async def ask_to_drain(request: Request, server: ServerDep, name: str) -> Response:
    return render(request, confirm_pools.drain(server.health.pool(name)))


@router.post("/pools/{name}/drain")
async def drain(request: Request, server: ServerDep, name: str) -> Response:
    await server.pools.drain(name, reason=reason(await posted(request)))
    return _done(name, "draining")


@router.get("/pools/{name}/restart")
async def ask_to_restart(request: Request, server: ServerDep, name: str) -> Response:
    return render(request, confirm_pools.restart(server.health.pool(name)))


@router.post("/pools/{name}/restart")
async def restart(request: Request, server: ServerDep, name: str) -> Response:
    await server.pools.restart(name, reason=reason(await posted(request)))
    return _done(name, "restarting")


@router.get("/pools/{name}/unschedulable")
async def ask_to_cancel(
    request: Request, server: ServerDep, name: str, function: str | None = None
) -> Response:
    return render(
        request,
        confirm_pools.cancel_unschedulable(server.health.pool(name).notices, name, function),
    )


@router.post("/pools/{name}/unschedulable")
async def cancel(request: Request, server: ServerDep, name: str) -> Response:
    function = (await posted(request)).get("function")
    await server.tasks.cancel_unschedulable(name, function if isinstance(function, str) else None)
    return _done(name, "unscheduled")


@router.get("/workers/{worker_id}/kill")
async def ask_to_kill(request: Request, server: ServerDep, worker_id: str) -> Response:
    return render(request, confirm_pools.kill_worker(*_worker(server, worker_id)))


@router.post("/workers/{worker_id}/kill")
async def kill(request: Request, server: ServerDep, worker_id: str) -> Response:
    pool = await server.pools.kill_worker(worker_id, reason=reason(await posted(request)))
    return _done(pool.name, "killed")


@router.post("/pools/{name}/hosts/{host}/drain")
async def drain_host(server: ServerDep, name: str, host: str) -> Response:
    await server.pools.drain_host(name, host)
    return _done(name, "host_drained")


@router.get("/pools/{name}/hosts/{host}/end")
async def ask_to_end_host(request: Request, server: ServerDep, name: str, host: str) -> Response:
    pool = server.health.pool(name)
    return render(request, confirm_pools.end_host(pool, _host(pool, host)))


@router.post("/pools/{name}/hosts/{host}/end")
async def end_host(request: Request, server: ServerDep, name: str, host: str) -> Response:
    await server.pools.end_host(name, host, reason=reason(await posted(request)))
    return _done(name, "host_ended")


def _host(pool: PoolHealth, name: str) -> HostHealth:
    for host in pool.hosts or ():
        if host.name == name and host.stands:
            return host
    raise NotFound(f"the pool {pool.name} has no host {name}; it may be gone")


def _worker(server: Server, worker_id: str) -> tuple[PoolHealth, WorkerHealth]:
    for pool in server.health.all():
        for worker in pool.workers:
            if worker.id == worker_id:
                return pool, worker
    raise NotFound(f"there is no worker {worker_id}; it may have ended")


def _done(pool: str, did: str) -> Response:
    return done("/pools", did, fragment=pool, pool=pool)

"""Pools and their workers: their health, and what can be done to them."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.errors import NotFound, no_pool
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.api.bodies import (
    PoolChange,
    UnschedulableTasks,
    read_pool_change,
    read_unschedulable,
)
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.reasons import MAY_SAY_WHY, reason_of
from pooldeck_server.web.api.schemas.pools import Pool, PoolList
from pooldeck_server.web.api.schemas.sizes import PoolAdvice
from pooldeck_server.web.http.dependencies import NamePath, ServerDep, SightDep
from pooldeck_server.web.http.responses import READING, WRITING, answer, bad, good, takes

router = APIRouter(tags=["pools"])

_POOL = good(Pool, "The pool.")


@router.get("/pools", responses=good(PoolList, "All pools.") | bad(*READING))
async def list_pools(server: ServerDep, sight: SightDep) -> Response:
    """Return the health of every pool, of those that are for a limited token."""
    return answer(PoolList([Pool.of(pool) for pool in sight.pools(server.health.all())]))


@router.get("/pools/{name}", responses=_POOL | bad(*READING, 404))
async def get_pool(server: ServerDep, sight: SightDep, name: NamePath) -> Response:
    """Return the health of one pool."""
    if sight.is_whole:
        return answer(Pool.of(sight.pool(server.health.pool(name))))
    own = {pool.name: pool for pool in sight.pools(server.health.all())}
    if name not in own:
        raise NotFound(no_pool(name, own))
    return answer(Pool.of(own[name]))


@router.get("/pools/{name}/advice", responses=good(PoolAdvice, "The advice.") | bad(*READING, 404))
async def get_pool_advice(server: ServerDep, name: NamePath) -> Response:
    """Return how large a pool should be, why, and what would come of it."""
    return answer(PoolAdvice.of(await server.sizes.of(name)))


@router.patch(
    "/pools/{name}",
    responses=_POOL | bad(*WRITING, 404, 409),
    openapi_extra=takes(PoolChange, {"size": 8}),
)
async def change_pool(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Resize, pause or resume a pool while its tasks run; none of them is lost by that.

    `size` of a pool on hosts is that of each, and `hosts` how many Dask is asked for.

    What is set stays set over a restart of the server.
    """
    change = await body_of(request, read_pool_change, server.settings.limits)
    health = server.health.pool(name)
    if change.size is not None:
        health = await server.pools.resize(name, change.size, change.reason)
    if change.hosts is not None:
        health = await server.pools.want_hosts(name, change.hosts, change.reason)
    if change.paused is not None:
        turn = server.pools.pause if change.paused else server.pools.resume
        health = await turn(name, change.reason)
    return answer(Pool.of(health))


@router.post(
    "/pools/{name}/restart", responses=_POOL | bad(*WRITING, 404), openapi_extra=MAY_SAY_WHY
)
async def restart_pool(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Replace the pool's workers one by one: reloads code, and mends a broken pool.

    The answer comes when it has begun; submissions are taken meanwhile.
    """
    reason = await reason_of(request, server)
    return answer(Pool.of(await server.pools.restart(name, reason)))


@router.post("/pools/{name}/drain", responses=_POOL | bad(*WRITING, 404), openapi_extra=MAY_SAY_WHY)
async def drain_pool(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Hand nothing new out and finish what runs; then the pool is stopped, until resumed."""
    reason = await reason_of(request, server)
    return answer(Pool.of(await server.pools.drain(name, reason)))


@router.post(
    "/pools/{name}/cancel-unschedulable",
    responses=good(BulkDone, "How many are meant, and what became of how many.")
    | bad(*WRITING, 404),
    openapi_extra=takes(UnschedulableTasks, {"function": "acme.jobs.charge"}, required=False),
)
async def cancel_unschedulable(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Cancel the tasks that wait since no worker of the pool has their function as they need it."""
    meant = await body_of(request, read_unschedulable, server.settings.limits, is_optional=True)
    return answer(await server.tasks.cancel_unschedulable(name, meant.function))


@router.post(
    "/workers/{name}/kill", responses=_POOL | bad(*WRITING, 404), openapi_extra=MAY_SAY_WHY
)
async def kill_worker(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Kill one worker; what runs in it is cancelled, and another worker takes its place."""
    reason = await reason_of(request, server)
    return answer(Pool.of(await server.pools.kill_worker(name, reason)))

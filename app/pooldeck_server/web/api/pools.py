"""Pools and their workers: their health, and what can be done to them."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import PoolChange, Reasoned, read_or_default, read_pool_change
from pooldeck_server.web.api.schemas.pools import Pool, PoolList
from pooldeck_server.web.api.schemas.sizes import PoolAdvice
from pooldeck_server.web.http.dependencies import NamePath, ServerDep
from pooldeck_server.web.http.request_body import json_body, optional_json_body
from pooldeck_server.web.http.responses import READING, WRITING, answer, bad, good, takes

router = APIRouter(tags=["pools"])

_POOL = good(Pool, "The pool.")
_MAY_SAY_WHY = takes(Reasoned, {"reason": "new code"}, required=False)


@router.get("/pools", responses=good(PoolList, "All pools.") | bad(*READING))
async def list_pools(server: ServerDep) -> Response:
    """Return the health of every pool."""
    return answer(PoolList([Pool.of(pool) for pool in server.health.all()]))


@router.get("/pools/{name}", responses=_POOL | bad(*READING, 404))
async def get_pool(server: ServerDep, name: NamePath) -> Response:
    """Return the health of one pool."""
    return answer(Pool.of(server.health.pool(name)))


@router.get("/pools/{name}/advice", responses=good(PoolAdvice, "The advice.") | bad(*READING, 404))
async def get_pool_advice(server: ServerDep, name: NamePath) -> Response:
    """Return how large a pool should be, why, and what would come of it."""
    return answer(PoolAdvice.of(await server.sizes.of(name)))


@router.patch(
    "/pools/{name}",
    responses=_POOL | bad(*WRITING, 404),
    openapi_extra=takes(PoolChange, {"size": 8}),
)
async def change_pool(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Resize, pause or resume a pool while its tasks run; none of them is lost by that.

    What is set stays set over a restart of the server.
    """
    change = read_pool_change(await json_body(request), server.settings.limits)
    health = server.health.pool(name)
    if change.size is not None:
        health = await server.pools.resize(name, change.size)
    if change.paused is not None:
        health = await (server.pools.pause if change.paused else server.pools.resume)(name)
    return answer(Pool.of(health))


@router.post(
    "/pools/{name}/restart", responses=_POOL | bad(*WRITING, 404), openapi_extra=_MAY_SAY_WHY
)
async def restart_pool(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Replace the pool's workers one by one: reloads code, and mends a broken pool.

    The answer comes when it has begun; submissions are taken meanwhile.
    """
    reason = await _reason(request, server)
    return answer(Pool.of(await server.pools.restart(name, reason)))


@router.post(
    "/pools/{name}/drain", responses=_POOL | bad(*WRITING, 404), openapi_extra=_MAY_SAY_WHY
)
async def drain_pool(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Hand nothing new out and finish what runs; then the pool is stopped, until resumed."""
    reason = await _reason(request, server)
    return answer(Pool.of(await server.pools.drain(name, reason)))


@router.post(
    "/workers/{name}/kill", responses=_POOL | bad(*WRITING, 404), openapi_extra=_MAY_SAY_WHY
)
async def kill_worker(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Kill one worker; what runs in it is cancelled, and another worker takes its place."""
    reason = await _reason(request, server)
    return answer(Pool.of(await server.pools.kill_worker(name, reason)))


async def _reason(request: Request, server: Server) -> str | None:
    body = await optional_json_body(request)
    return read_or_default(Reasoned, body, server.settings.limits).reason

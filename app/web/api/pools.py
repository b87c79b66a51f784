"""The health of pools and their workers."""

from fastapi import APIRouter, Response

from app.web.answers import READING, answer, bad, good
from app.web.dependencies import NamePath, ServiceDep
from app.web.schemas import Pool, PoolList

router = APIRouter(prefix="/pools", tags=["pools"])


@router.get("", responses=good(PoolList, "All pools.") | bad(*READING))
async def list_pools(service: ServiceDep) -> Response:
    """Return the health of every pool."""
    return answer(PoolList([Pool.of(pool) for pool in service.pools()]))


@router.get("/{name}", responses=good(Pool, "The pool.") | bad(*READING, 404))
async def get_pool(service: ServiceDep, name: NamePath) -> Response:
    """Return the health of one pool."""
    return answer(Pool.of(service.pool(name)))

"""Thread or process: what measurements say of functions."""

from fastapi import APIRouter, Response

from pooldeck_server.advice import Advice
from pooldeck_server.domain.errors import Conflict, NotFound, UnknownFunction
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.schemas.advice import AdviceList, FunctionAdvice
from pooldeck_server.web.api.schemas.sizes import PoolAdvice
from pooldeck_server.web.http.dependencies import NamePath, ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["advice"])


@router.get("/advice", responses=good(AdviceList, "What should change.") | bad(*READING))
async def list_advice(server: ServerDep) -> Response:
    """List the functions that would do better in another pool, and the pools of the wrong size."""
    functions = [_shown(server, advice) for advice in server.advisor.misplaced()]
    pools = [PoolAdvice.of(advice) for advice in await server.sizes.wrong()]
    return answer(AdviceList(functions, pools))


@router.get(
    "/functions/{name}/advice",
    responses=good(FunctionAdvice, "The advice.") | bad(*READING, 404, 409),
)
async def get_advice(server: ServerDep, name: NamePath) -> Response:
    """Return which kind of pool a function belongs in, why, and what a move would gain."""
    try:
        advice = server.advisor.of(name)
    except UnknownFunction as error:  # in a path it is the address that does not exist
        raise NotFound(error.detail) from None
    if advice is None:
        pool = server.catalogue.get(name).pool
        if pool in server.advisor.hosted:
            raise Conflict(
                f"{name} runs in pool {pool}, which is on hosts: only what runs on the server's "
                "own machine is measured and compared"
            )
        raise Conflict(f"{name} names a pool that does not exist: there is nothing to compare")
    return answer(_shown(server, advice))


def _shown(server: Server, advice: Advice) -> FunctionAdvice:
    return FunctionAdvice.of(advice, dict(server.profiles.of(advice.function)))

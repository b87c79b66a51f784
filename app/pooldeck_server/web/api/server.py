"""The server itself, and what tasks share while it runs."""

from importlib.metadata import version

from fastapi import APIRouter, Response

from pooldeck_server.web.api.schemas.server import ServerInfo
from pooldeck_server.web.api.schemas.shared import SharedState
from pooldeck_server.web.api.schemas.types import timestamp
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["observing"])

_VERSION = version("pooldeck")


@router.get("/server", responses=good(ServerInfo, "The server.") | bad(*READING))
async def show_server(server: ServerDep) -> Response:
    """Tell since when the server runs, and what its start found and did."""
    run = server.run
    return answer(ServerInfo(_VERSION, timestamp(run.started_at), server.state, run.report))


@router.get("/shared", responses=good(SharedState, "What is shared.") | bad(*READING))
async def show_shared(server: ServerDep) -> Response:
    """Tell what tasks share by `pooldeck.shared`: names, sizes, holders and waiters of locks."""
    shared = server.shared
    return answer(SharedState.of(await shared.picture(), shared.limits, shared.lost_at))

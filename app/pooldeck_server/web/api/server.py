"""The server itself, and what tasks share while it runs."""

from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.access import ANYBODY
from pooldeck_server.web.api.bodies import (
    DrainRequest,
    RestoredTasks,
    read_drain,
    read_restored,
)
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.schemas.drains import DrainInfo
from pooldeck_server.web.api.schemas.server import RestoredInfo, ServerInfo, Settled
from pooldeck_server.web.api.schemas.shared import SharedState
from pooldeck_server.web.api.schemas.types import timestamp
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.principals import principal_of
from pooldeck_server.web.http.responses import (
    CHANGING,
    READING,
    WRITING,
    answer,
    bad,
    good,
    takes,
)

router = APIRouter(tags=["observing"])

_VERSION = version("pooldeck")


@router.get("/server", responses=good(ServerInfo, "The server.") | bad(*READING))
async def show_server(server: ServerDep) -> Response:
    """Tell since when the server runs, and what its start found and did."""
    run, restored = server.run, server.restored
    waits = None
    if restored.waits_for_a_word:
        waits = RestoredInfo(timestamp(restored.identity.copied_at or 0), restored.waiting)
    started_at = timestamp(run.started_at)
    drain = server.drain.progress()
    shown = None if drain is None else DrainInfo.of(drain)
    return answer(ServerInfo(_VERSION, started_at, server.readiness, run.report, waits, shown))


@router.post(
    "/server/drain",
    responses=good(DrainInfo, "The drain, as it begins.") | bad(*WRITING),
    openapi_extra=takes(DrainRequest, {"reason": "reboot", "seconds": 600}, required=False),
)
async def drain_server(request: Request, server: ServerDep) -> Response:
    """Take nothing new: submissions get 503 `draining` until `/server/resume` or the next start.

    What runs goes on. `GET /server` says how far it is. A further call replaces the order.
    """
    order = await body_of(request, read_drain, server.settings.limits, is_optional=True)
    progress = server.drain.begin(
        (principal_of(request.scope) or ANYBODY).name,
        order.reason,
        seconds=order.seconds,
        stops=order.stop,
        finishes_queue=order.finish_queue,
    )
    return answer(DrainInfo.of(progress))


@router.post(
    "/server/resume",
    responses=good(ServerInfo, "The server.") | bad(*CHANGING, 409),
)
async def resume_server(request: Request, server: ServerDep) -> Response:
    """Take tasks again after a drain; what waits is handed out."""
    server.drain.resume((principal_of(request.scope) or ANYBODY).name)
    return await show_server(server)


@router.post(
    "/restored",
    responses=good(Settled, "What became of how many tasks.") | bad(*WRITING, 409),
    openapi_extra=takes(RestoredTasks, {"waiting": "lost"}),
)
async def settle_restored(request: Request, server: ServerDep) -> Response:
    """Say what becomes of the tasks that waited in the backup that was put back."""
    word = (await body_of(request, read_restored, server.settings.limits)).waiting
    return answer(Settled(word, await server.restored.settle(word)))


@router.get("/shared", responses=good(SharedState, "What is shared.") | bad(*READING))
async def show_shared(server: ServerDep) -> Response:
    """Tell what tasks share by `pooldeck.shared`: names, sizes, holders and waiters of locks."""
    shared = server.shared
    return answer(SharedState.of(await shared.picture(), shared.limits, shared.lost_at))

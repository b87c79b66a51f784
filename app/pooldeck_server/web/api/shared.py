"""Shared state."""

from fastapi import APIRouter, Response

from pooldeck_server.web.api.schemas.shared import SharedState
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["observing"])


@router.get("/shared", responses=good(SharedState, "What is shared.") | bad(*READING))
async def show_shared(server: ServerDep) -> Response:
    """Tell what tasks share by `pooldeck.shared`: names, sizes, holders and waiters of locks."""
    shared = server.shared
    return answer(SharedState.of(await shared.picture(), shared.limits, shared.lost_at))

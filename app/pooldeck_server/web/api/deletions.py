"""Deletions of many tasks, while they go on and after that."""

from fastapi import APIRouter, Response

from pooldeck_server.web.api.schemas.retention import DeletionInfo
from pooldeck_server.web.http.dependencies import NamePath, ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, answer, bad, good

router = APIRouter(prefix="/deletions", tags=["retention"])


@router.get("/{name}", responses=good(DeletionInfo, "The deletion.") | bad(*READING, 404))
async def get_deletion(server: ServerDep, name: NamePath) -> Response:
    """Return how far a deletion is; the last 20 are known, since the start of the server."""
    return answer(DeletionInfo.of(server.deletions.get(name)))


@router.post(
    "/{name}/stop", responses=good(DeletionInfo, "The deletion, ended.") | bad(*CHANGING, 404)
)
async def stop_deletion(server: ServerDep, name: NamePath) -> Response:
    """Stop a deletion; what is deleted stays so. One that has ended stays as it is."""
    return answer(DeletionInfo.of(await server.deletions.stop_one(name)))

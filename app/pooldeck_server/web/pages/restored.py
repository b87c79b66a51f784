"""The question that a database waits for that was put back from a backup, and its answer."""

from dataclasses import dataclass

from fastapi import Request, Response

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render

router = page_router()


@dataclass(frozen=True)
class RestoredView(Page):
    """How many tasks are `waiting` for a word, and when the backup was made (µs since the epoch).

    `asks` is False once somebody has given it, and where the database was never put back.
    """

    template = "restored.html"
    section = "pools"

    asks: bool
    waiting: int
    copied_at: int | None


@router.get("/restored")
async def restored(request: Request, server: ServerDep) -> Response:
    """Ask what becomes of the tasks that waited in the backup."""
    found = server.restored
    asks, copied_at = found.waits_for_a_word, found.identity.copied_at
    return render(request, RestoredView(asks, found.waiting, copied_at))


@router.post("/restored")
async def settle(request: Request, server: ServerDep) -> Response:
    match (await posted(request)).get("waiting"):
        case "run":
            await server.restored.settle("run")
            return done("/pools", "restored_run")
        case "lost":
            await server.restored.settle("lost")
            return done("/pools", "restored_lost")
    raise InvalidRequest("waiting: expected run or lost")

"""The page of what tasks share, by kind: locks first, since they are what somebody may wait for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from pooldeck.access import SharedLimits
from pooldeck.shared.snapshot import SharedEntry, SharedSnapshot
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render
from pooldeck_server.web.text.i18n import _, later

router = page_router()

_MOST_ROWS: Final = 200
_KINDS: Final = {
    "counter": later("counter"),
    "dict": later("dict"),
    "list": later("list"),
    "lock": later("lock"),
    "semaphore": later("semaphore"),
}


@dataclass(frozen=True)
class SharedView(Page):
    """What tasks share: `picture` is None if nobody answers; `most` rows of a table are shown.

    `lost_at` is when it was lost last, if it was (microseconds since the epoch).
    """

    template = "shared_state/page.html"
    section = "shared"

    picture: SharedSnapshot | None
    limits: SharedLimits
    lost_at: int | None
    kinds: Mapping[str, str]
    locks: Sequence[SharedEntry]
    limiters: Sequence[SharedEntry]
    values: Sequence[SharedEntry]
    most: int = _MOST_ROWS


@router.get("/shared")
async def shared(request: Request, server: ServerDep) -> Response:
    picture = await server.shared.picture()
    things = picture.entries if picture else ()
    shown = SharedView(
        picture=picture,
        limits=server.shared.limits,
        lost_at=server.shared.lost_at,
        kinds={kind: _(word) for kind, word in _KINDS.items()},
        locks=_of_kinds(things, "lock", "semaphore"),
        limiters=_of_kinds(things, "rate_limiter"),
        values=_of_kinds(things, "counter", "dict", "list"),
    )
    return render(request, shown)


def _of_kinds(things: Sequence[SharedEntry], *kinds: str) -> list[SharedEntry]:
    """Return those of some kinds: what somebody waits for or holds first, then by name."""
    found = [each for each in things if each.kind in kinds]
    return sorted(found, key=lambda each: (not each.waiters, not each.holders, each.name))

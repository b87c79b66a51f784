"""The page of what tasks share, by kind: locks first, since they are what somebody may wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from pooldeck.access import SharedLimits
from pooldeck.shared.snapshot import Held, SharedEntry, SharedSnapshot
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render
from pooldeck_server.web.text.i18n import _, later

router = page_router()

_MOST_ROWS: Final = 200
_MOST_NAMED: Final = 4
_KINDS: Final = {
    "counter": later("counter"),
    "dict": later("dict"),
    "list": later("list"),
    "lock": later("lock"),
    "semaphore": later("semaphore"),
    "rate_limiter": "",  # they have a table of their own
}


@dataclass(frozen=True)
class HolderNames:
    """The first who hold something or wait for it; `more` counts the others."""

    named: Sequence[Held]
    more: int


@dataclass(frozen=True)
class SharedRow:
    """A shared thing, with who holds it and who waits for it."""

    thing: SharedEntry
    kind: str
    holders: HolderNames
    waiters: HolderNames


@dataclass(frozen=True)
class SharedRows:
    """The first of many; `more` counts those that are not shown."""

    rows: Sequence[SharedRow]
    more: int


@dataclass(frozen=True)
class SharedView(Page):
    """What tasks share: `picture` is None if nobody answers.

    `lost_at` is when it was lost last, if it was (microseconds since the epoch).
    """

    template = "shared_state/page.html"
    section = "shared"

    picture: SharedSnapshot | None
    limits: SharedLimits
    lost_at: int | None
    locks: SharedRows
    limiters: SharedRows
    values: SharedRows


@router.get("/shared")
async def shared(request: Request, server: ServerDep) -> Response:
    state = server.shared
    return render(request, shared_view(await state.picture(), state.limits, state.lost_at))


def shared_view(
    picture: SharedSnapshot | None, limits: SharedLimits, lost_at: int | None
) -> SharedView:
    things = picture.entries if picture else ()
    return SharedView(
        picture=picture,
        limits=limits,
        lost_at=lost_at,
        locks=_rows(things, "lock", "semaphore"),
        limiters=_rows(things, "rate_limiter"),
        values=_rows(things, "counter", "dict", "list"),
    )


def _rows(things: Sequence[SharedEntry], *kinds: str) -> SharedRows:
    """Return those of some kinds: what somebody waits for or holds first, then by name."""
    found = [each for each in things if each.kind in kinds]
    found.sort(key=lambda each: (not each.waiters, not each.holders, each.name))
    return SharedRows(list(map(_row, found[:_MOST_ROWS])), max(0, len(found) - _MOST_ROWS))


def _row(thing: SharedEntry) -> SharedRow:
    return SharedRow(thing, _(_KINDS[thing.kind]), _names(thing.holders), _names(thing.waiters))


def _names(held: Sequence[Held]) -> HolderNames:
    return HolderNames(held[:_MOST_NAMED], max(0, len(held) - _MOST_NAMED))

"""What tasks share, by kind: locks first, since they are what somebody may wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pooldeck.access import SharedLimits
from pooldeck.shared.snapshot import Held, SharedEntry, SharedSnapshot
from pooldeck_server.web.text.i18n import _, later

MOST_ROWS: Final = 200
_MOST_NAMED: Final = 4
_LOCKS: Final = ("lock", "semaphore")
_KINDS: Final = {
    "counter": later("counter"),
    "dict": later("dict"),
    "list": later("list"),
    "lock": later("lock"),
    "semaphore": later("semaphore"),
}


@dataclass(frozen=True)
class SharedRows:
    """The first of many; `more` counts those that are not shown."""

    things: Sequence[SharedEntry]
    more: int


@dataclass(frozen=True)
class People:
    """The first who hold something or wait for it; `more` counts the others."""

    named: Sequence[Held]
    more: int


def shared_context(
    picture: SharedSnapshot | None, limits: SharedLimits, lost_at: int | None
) -> dict[str, Any]:
    """Return what the page of shared state shows.

    Args:
        picture: What is shared; None if nobody answers.
        limits: How much may be.
        lost_at: When it was lost last, if it was (microseconds since the epoch).
    """
    things = picture.entries if picture else ()
    return {
        "picture": picture,
        "limits": limits,
        "lost_at": lost_at,
        "locks": _rows([each for each in things if each.kind in _LOCKS]),
        "limiters": _rows([each for each in things if each.kind == "rate_limiter"]),
        "values": _rows([each for each in things if each.kind in {"counter", "dict", "list"}]),
        "kind_word": _kind_word,
        "people": _people,
    }


def _rows(things: Sequence[SharedEntry]) -> SharedRows:
    """Return those that somebody waits for or holds first, then by name."""
    ordered = sorted(things, key=lambda each: (not each.waiters, not each.holders, each.name))
    return SharedRows(ordered[:MOST_ROWS], max(0, len(ordered) - MOST_ROWS))


def _people(held: Sequence[Held]) -> People:
    return People(held[:_MOST_NAMED], max(0, len(held) - _MOST_NAMED))


def _kind_word(kind: str) -> str:
    return _(_KINDS[kind])

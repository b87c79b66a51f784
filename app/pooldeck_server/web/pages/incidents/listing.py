"""The list of incidents: what its address asks for, and the links that change the question."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.failures.incidents import CulpritCount, IncidentPage, StoredIncident
from pooldeck_server.web.pages.tasks.address import TaskListQuery, address
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later

PAGE_SIZE: Final = 50
_MOST_CULPRITS: Final = 8
_PERIODS: Final = (
    ("1h", later("last hour")),
    ("24h", later("last 24 hours")),
    ("7d", later("last 7 days")),
    ("30d", later("last 30 days")),
    ("", later("all")),
)
_SINCE: Final = re.compile(r"([1-9]\d{0,3})([mhd])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Wanted:
    """Which incidents are meant; `since` is a length of time such as "24h", empty for all."""

    pool: str = ""
    function: str = ""
    cause: str = ""
    since: str = ""

    def after(self, now: int) -> int | None:
        """Return since when, if there is such a bound; both in microseconds since the epoch."""
        found = _SINCE.fullmatch(self.since)
        return None if found is None else now - int(found[1]) * _SECONDS[found[2]] * SECOND

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of the address that asks for them."""
        named = vars(self).items()
        return [(name, value) for name, value in named if value]

    @property
    def href(self) -> str:
        """Return the address of their list."""
        return address("/incidents", self.pairs)


@dataclass(frozen=True)
class FilterChoice:
    """A narrower or another list, with how many it has where that is known."""

    words: str
    href: str
    is_chosen: bool
    count: str | None = None


def read_wanted(query: TaskListQuery) -> Wanted:
    """Return what the parameters of the list's address ask for."""
    wanted = Wanted(*(query.get(name) or "" for name in ("pool", "function", "cause", "since")))
    return wanted if _SINCE.fullmatch(wanted.since) else replace(wanted, since="")


def incidents_context(
    page: IncidentPage,
    wanted: Wanted,
    pools: Sequence[str],
    culprits: Sequence[CulpritCount],
    *,
    is_first: bool,
) -> dict[str, Any]:
    """Return what the list of incidents shows.

    Args:
        page: What was found.
        wanted: What was asked for.
        pools: The names of the pools.
        culprits: How many died of what, in the pool and time that were asked for.
        is_first: Whether this is the newest page.
    """
    older = page.next_cursor
    return {
        "incidents": page.items,
        "wanted": wanted,
        "periods": tuple(_periods(wanted)),
        "pools": tuple(_pools(wanted, pools)),
        "culprits": tuple(_culprits(wanted, culprits)),
        "is_first": is_first,
        "without_cause": replace(wanted, cause="").href,
        "newest_href": wanted.href,
        "older_href": address("/incidents", [*wanted.pairs, ("cursor", older)]) if older else None,
        "recovery": recovery_seconds,
    }


def recovery_seconds(incident: StoredIncident) -> float | None:
    """Return how long its pool was not whole; None while it is not."""
    return None if incident.recovery_ms is None else incident.recovery_ms / 1000


def _periods(wanted: Wanted) -> Iterable[FilterChoice]:
    for since, words in _PERIODS:
        yield FilterChoice(_(words), replace(wanted, since=since).href, since == wanted.since)


def _pools(wanted: Wanted, pools: Sequence[str]) -> Iterable[FilterChoice]:
    for name in pools:
        is_chosen = name == wanted.pool
        yield FilterChoice(name, replace(wanted, pool="" if is_chosen else name).href, is_chosen)


def _culprits(wanted: Wanted, culprits: Sequence[CulpritCount]) -> Iterable[FilterChoice]:
    """Yield the functions that most workers died of; following a chosen one takes it out."""
    known = [count for count in culprits if count.function]
    listed = [
        count
        for place, count in enumerate(known)
        if place < _MOST_CULPRITS or count.function == wanted.function
    ]
    for count in listed:
        is_chosen = count.function == wanted.function
        function = "" if is_chosen else count.function or ""
        href = replace(wanted, function=function, cause="").href
        yield FilterChoice(count.function or "", href, is_chosen, formats.count(count.n))

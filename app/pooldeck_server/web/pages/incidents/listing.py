"""The list of incidents: what its address asks for, and the links that change the question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from starlette.datastructures import QueryParams

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.failures.incidents import CulpritCount, IncidentPage, StoredIncident
from pooldeck_server.web.pages.shared.address import PERIODS, address, further, seconds_of
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _

_MOST_CULPRITS: Final = 8


@dataclass(frozen=True)
class IncidentsQuery:
    """Which incidents are meant; `since` is a length of time such as "24h", empty for all."""

    pool: str = ""
    function: str = ""
    cause: str = ""
    since: str = ""

    def after(self, now: int) -> int | None:
        seconds = seconds_of(self.since)
        return None if seconds is None else now - seconds * SECOND

    @property
    def pairs(self) -> list[tuple[str, str]]:
        named = vars(self).items()
        return [(name, value) for name, value in named if value]

    @property
    def href(self) -> str:
        return address("/incidents", self.pairs)


@dataclass(frozen=True)
class IncidentsView(Page):
    """The incidents that fit, and the choices that change which do."""

    template = "incidents/page.html"
    section = "incidents"

    incidents: Sequence[StoredIncident]
    wanted: IncidentsQuery
    periods: tuple[Choice, ...]
    pools: tuple[Choice, ...]
    culprits: tuple[Choice, ...]
    is_first: bool
    without_cause: str
    older_href: str | None


def read_wanted(query: QueryParams) -> IncidentsQuery:
    names = ("pool", "function", "cause", "since")
    wanted = IncidentsQuery(*(query.get(name) or "" for name in names))
    return replace(wanted, since=wanted.since if seconds_of(wanted.since) else "")


def incidents_view(
    page: IncidentPage,
    wanted: IncidentsQuery,
    pools: Sequence[str],
    culprits: Sequence[CulpritCount],
    *,
    is_first: bool,
) -> IncidentsView:
    return IncidentsView(
        incidents=page.items,
        wanted=wanted,
        periods=tuple(
            Choice(_(words), replace(wanted, since=since).href, since == wanted.since)
            for since, words in PERIODS
        ),
        pools=tuple(_pools(wanted, pools)),
        culprits=tuple(_culprits(wanted, culprits)),
        is_first=is_first,
        without_cause=replace(wanted, cause="").href,
        older_href=further("/incidents", wanted.pairs, page.next_cursor),
    )


def _pools(wanted: IncidentsQuery, pools: Sequence[str]) -> Iterable[Choice]:
    for name in pools:
        is_chosen = name == wanted.pool
        yield Choice(name, replace(wanted, pool="" if is_chosen else name).href, is_chosen)


def _culprits(wanted: IncidentsQuery, culprits: Sequence[CulpritCount]) -> Iterable[Choice]:
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
        yield Choice(count.function or "", href, is_chosen, formats.count(count.n))

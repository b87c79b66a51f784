"""The timeline's page: what its address asks for, the functions in it, and its longest runs."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import QueryParams

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.clock import SECOND, span
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.timeline import Bar, Timeline, TimelineRequest, slots_of
from pooldeck_server.web.pages.shared.address import read_time
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text import formats, zones
from pooldeck_server.web.text.colours import OTHER, Colour, colours_of
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.zones import UTC_NAME

PERIODS: Final = (10, 60, 300, 900, 3600, 21600, 86400)
"""Seconds that the page offers to show."""

LONGEST: Final = 15
"""Runs that the table names."""

_USUAL: Final = 60.0  # seconds
_SHORTEST, _LARGEST = 0.001, 7 * 86400.0  # seconds
_FEW, _SOME = 8, 24  # slots, for which less room is kept


_BLANK: Final = Bar(
    task="",
    attempt=0,
    function="",
    pool="",
    worker="",
    thread=None,
    state="running",
    error_kind=None,
    started_at=0,
    finished_at=None,
    recorded_at=None,
    queued_seconds=None,
    cpu_seconds=None,
    overhead=None,
)
"""What the browser makes rows of the table from."""


class TimelineQuery(Struct, frozen=True):
    """What the page's address asks for: the last `span` seconds, or so many from a time on."""

    span: float = _USUAL
    since: int | None = None  # microseconds since the epoch; None: follow the present
    pool: str | None = None
    function: str | None = None

    def request(self, now: int) -> TimelineRequest:
        length = span(self.span)
        since = now - length if self.since is None else self.since
        return TimelineRequest(since, since + length, self.pool, self.function)

    @property
    def href(self) -> str:
        given = {
            "from": None if self.since is None else formats.iso(self.since),
            "span": f"{self.span:g}",
            "pool": self.pool,
            "function": self.function,
        }
        return f"/timeline?{urlencode({name: value for name, value in given.items() if value})}"


class LegendEntry(Struct, frozen=True):
    """A function in the picture; following `href` narrows the page to it, or widens it again."""

    function: str
    colour: Colour
    count: str
    is_chosen: bool
    href: str


def read_address(query: QueryParams) -> TimelineQuery:
    """Return what the page's address asks for.

    Raises:
        InvalidRequest: If a time or a length is none.
    """
    since = query.get("from")
    return TimelineQuery(
        span=_span(query.get("span")),
        since=read_time("from", since, zone=query.get("zone") or UTC_NAME) if since else None,
        pool=query.get("pool") or None,
        function=query.get("function") or None,
    )


def read_request(query: QueryParams) -> TimelineRequest:
    """Return what the parameters of the data's address ask for.

    Raises:
        InvalidRequest: If a time is none, or the stretch is empty or longer than a week.
    """
    since, until = (read_time(name, query.get(name) or "") for name in ("from", "to"))
    if not 0 < until - since <= _LARGEST * SECOND:
        raise InvalidRequest("to: a timeline shows at most a week, and ends after it begins")
    return TimelineRequest(since, until, query.get("pool") or None, query.get("function") or None)


def _span(text: str | None) -> float:
    try:
        length = float(text or _USUAL)
    except ValueError:
        length = 0.0
    if not _SHORTEST <= length <= _LARGEST:
        raise InvalidRequest(f'span: "{text}" is no number of seconds from 0.001 to 604,800')
    return length


@dataclass(frozen=True)
class TimelineView(Page):
    """The timeline before the browser draws it; the blank ones are what it makes new rows from."""

    template = "timeline/page.html"
    section = "timeline"

    asked: TimelineQuery
    request: TimelineRequest
    periods: tuple[tuple[float, str], ...]
    choices: Mapping[str, Sequence[str]]
    legend: tuple[LegendEntry, ...]
    longest: Sequence[tuple[Bar, str, Colour]]  # each with how it is marked
    room: str
    limits: str
    problem: str
    live_href: str
    earlier_href: str
    later_href: str
    is_latest: bool
    blank: Bar = _BLANK
    blank_entry: LegendEntry = LegendEntry("", OTHER, "", is_chosen=False, href="")  # noqa: RUF009 - it is frozen


def timeline_view(
    asked: TimelineQuery,
    request: TimelineRequest,
    found: Timeline,
    pools: Sequence[PoolHealth],
    *,
    choices: Mapping[str, Sequence[str]],
    now: int,
    problem: str = "",
) -> TimelineView:
    """Return the page; `problem` is what is wrong with its address, beside the last minute."""
    colours = colours_of(_weights(found.bars, now))
    return TimelineView(
        asked=asked,
        request=request,
        periods=tuple((each, _round(each)) for each in sorted({*PERIODS, asked.span})),
        choices=choices,
        legend=tuple(_legend(asked, found.bars, colours)),
        longest=[(bar, look(bar), colours[bar.function]) for bar in longest(found.bars, now)],
        room=_room(sum(1 for _slot in slots_of(pools))),
        limits=limits(request, found),
        problem=problem,
        live_href=replace(asked, since=None).href,
        earlier_href=replace(asked, since=request.since - span(asked.span)).href,
        later_href=replace(asked, since=request.until).href,
        is_latest=request.until >= now,
    )


def _round(seconds: float) -> str:
    """Return a length of time, without a second unit where there is none of it."""
    return re.sub(r"(?<=\D) 0 \w+$|\.0(?= )", "", formats.duration(seconds))


def _weights(bars: Sequence[Bar], now: int) -> dict[str, float]:
    """Return how much of each function is in the picture: its share of bars and of their time."""
    total = sum(bar.seconds(now) for bar in bars) or 1.0
    weights: defaultdict[str, float] = defaultdict(float)
    for bar in bars:
        weights[bar.function] += 1 / len(bars) + bar.seconds(now) / total
    return weights


def _legend(
    asked: TimelineQuery, bars: Iterable[Bar], colours: Mapping[str, Colour]
) -> Iterable[LegendEntry]:
    counted = Counter(bar.function for bar in bars)
    for function in sorted(counted.keys() | ({asked.function} if asked.function else set())):
        is_chosen = function == asked.function
        href = replace(asked, function=None if is_chosen else function).href
        count = formats.count(counted[function])
        yield LegendEntry(function, colours.get(function, OTHER), count, is_chosen, href)


def longest(bars: Iterable[Bar], now: int) -> list[Bar]:
    return sorted(bars, key=lambda bar: -bar.seconds(now))[:LONGEST]


def look(bar: Bar) -> str:
    return "crashed" if bar.error_kind == ErrorKind.CRASHED else bar.state


def limits(request: TimelineRequest, found: Timeline) -> str:
    """Return what the picture leaves out, in words; empty if it is whole."""
    whole = found.complete_from
    if whole <= request.since:
        return ""
    return _(
        "Too many to draw: %(n)s or more ended in this time. The picture is whole from %(since)s "
        "on; zoom in to see what was before.",
        n=formats.count(found.ended),
        since=" ".join((formats.clock(whole), zones.offset_name(whole))),
    )


def _room(slots: int) -> str:
    """Return how much room is kept for so many rows, before the browser draws them."""
    if slots <= _FEW:
        return "small"
    return "medium" if slots <= _SOME else "large"

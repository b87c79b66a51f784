"""The run times of a function as drawings: how they spread, how that went, and when it failed.

Seconds are on a scale on which each power of ten is as long as the one before, and which reaches
from one such power to another: what is drawn later has the same places.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.measurements.histograms import counts_in, lower_bound
from pooldeck_server.domain.measurements.run_times import RunTimes, RunTimesPoint
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.annotations import annotation_words
from pooldeck_server.web.text.i18n import _, later

_PERIODS: Final = {
    21600: ("6h", later("6 hours")),
    86400: ("24h", later("24 hours")),
    604800: ("7d", later("7 days")),
}
_USUAL: Final = 86400
_BY_NAME: Final = {name: period for period, (name, _words) in _PERIODS.items()}
_WIDTH: Final = 600
_SPREAD_HEIGHT: Final = 90
_TREND_HEIGHT: Final = 120
_FAILED_HEIGHT: Final = 40
_LEAST_BAR: Final = 2
_NAMES: Final = ("p50", "p95", "p99")
_NAME_WIDTH: Final = 34  # of the name of a percentile, in units of the drawing
_MOST_MARKS: Final = 12
_DECADES: Final = range(-6, 7)

_Percentiles: TypeAlias = tuple[float | None, ...]


@dataclass(frozen=True)
class AxisTick:
    """A place on a scale, in units of the drawing, and what stands there."""

    place: float
    words: str


@dataclass(frozen=True)
class HistogramBar:
    """A bar of the drawing of the spread; `words` say what it counts."""

    x: float
    width: float
    y: float
    height: float
    words: str


@dataclass(frozen=True)
class TrendMark:
    """Something that was done or happened, as a line across the drawings."""

    place: float
    at: int
    kind: str
    words: str
    href: str | None


@dataclass(frozen=True)
class TableRow:
    """A stretch in figures; `at` is in microseconds since the epoch."""

    at: int
    ended: str
    failed: str
    percentiles: tuple[str, ...]


@dataclass(frozen=True)
class ShownRunTimes:
    """The run times of a function as its page shows them.

    `lines` are the drawings of the percentiles over time by their names, `failed` that of the
    failures of each stretch. `since` and `until` are microseconds since the epoch.
    """

    periods: Sequence[tuple[str, str, bool]]
    figures: Sequence[tuple[str, str]]
    bars: Sequence[HistogramBar]
    ticks: Sequence[AxisTick]
    percentiles: Sequence[AxisTick]
    lines: Sequence[tuple[str, str]]
    heights: Sequence[AxisTick]
    failed: str
    most_failed: str
    marks: Sequence[TrendMark]
    since: int
    until: int
    rows: Sequence[TableRow]
    width: int = _WIDTH
    spread_height: int = _SPREAD_HEIGHT
    trend_height: int = _TREND_HEIGHT
    failed_height: int = _FAILED_HEIGHT


def period_of(query: Mapping[str, str]) -> int:
    """Return the seconds that an address asks for; what makes no sense becomes the usual."""
    return _BY_NAME.get(query.get("period", ""), _USUAL)


def shown_run_times(found: RunTimes, function: str) -> ShownRunTimes:
    counts = counts_in(found.run)
    scale = _DurationScale.over([lower_bound(bucket) for bucket, _number in counts])
    of_percentiles = zip(_NAMES, found.percentiles, strict=True)
    known = [(name, value) for name, value in of_percentiles if value is not None]
    told = {point.at: point.percentiles for point in found.points}
    most = max((point.failed for point in found.points), default=0)
    return ShownRunTimes(
        periods=[
            (_address(function, name), _(words), period == found.period)
            for period, (name, words) in _PERIODS.items()
        ],
        figures=list(_figures(found, known)),
        bars=list(_bars(counts, scale)),
        ticks=[AxisTick(_WIDTH * place, words) for place, words in scale.ticks()],
        percentiles=_named([AxisTick(_WIDTH * scale.place(value), name) for name, value in known]),
        lines=list(_lines(found, told, scale)),
        heights=[AxisTick(_TREND_HEIGHT * (1 - place), words) for place, words in scale.ticks()],
        failed=_failures(found, most),
        most_failed=formats.count(most) if most else "",
        marks=list(_marks(found))[-_MOST_MARKS:],
        since=found.since * SECOND,
        until=found.until * SECOND,
        rows=[_row(point, told[point.at]) for point in reversed(found.points)],
    )


def _address(function: str, period: str) -> str:
    return f"/functions/{quote(function)}?period={period}#run-times"


def _named(ticks: Sequence[AxisTick]) -> list[AxisTick]:
    """Return percentiles with one name for those that are too near each other for two."""
    found: list[AxisTick] = []
    for tick in ticks:
        if found and tick.place - found[-1].place < _NAME_WIDTH:
            found[-1] = AxisTick(found[-1].place, f"{found[-1].words}, {tick.words}")
        else:
            found.append(tick)
    return found


class _DurationScale:
    """A scale of seconds from one power of ten to another."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    @classmethod
    def over(cls, seconds: Iterable[float]) -> "_DurationScale":
        """Return the shortest scale that holds all of `seconds`, of three powers at least."""
        powers = [math.log10(each) for each in seconds] or [-2.0]
        low = max(_DECADES.start, math.floor(min(powers)))
        high = max(low + 2, math.floor(max(powers) + 0.1) + 1)
        return cls(low, high)

    def place(self, seconds: float) -> float:
        """Return where so many seconds are, from 0 to 1."""
        return min(1.0, max(0.0, (math.log10(seconds) - self._low) / (self._high - self._low)))

    def ticks(self) -> Iterator[tuple[float, str]]:
        for power in range(self._low, self._high + 1):
            yield (power - self._low) / (self._high - self._low), _power(power)


def _power(power: int) -> str:
    """Return a power of ten of seconds: "10 ms", "100 s"."""
    if power < -3:  # noqa: PLR2004 - microseconds
        return f"{10 ** (power + 6)} µs"
    return f"{10 ** (power + 3)} ms" if power < 0 else f"{10**power:,} s"


def _figures(
    found: RunTimes, percentiles: Iterable[tuple[str, float]]
) -> Iterator[tuple[str, str]]:
    yield _("Ended"), formats.count(found.ended)
    share = f" ({formats.share(found.failed / found.ended)})" if found.failed else ""
    yield _("Failed"), f"{formats.count(found.failed)}{share}"
    for name, value in percentiles:
        yield name, formats.duration(value)


def _bars(counts: Sequence[tuple[int, int]], scale: _DurationScale) -> Iterator[HistogramBar]:
    most = max((number for _bucket, number in counts), default=0)
    for bucket, number in counts:
        low, high = lower_bound(bucket), lower_bound(bucket + 1)
        left, right = _WIDTH * scale.place(low), _WIDTH * scale.place(high)
        height = max(_LEAST_BAR, round(_SPREAD_HEIGHT * number / most, 1))
        yield HistogramBar(
            x=round(left + 0.5, 1),
            width=round(max(1.0, right - left - 1), 1),
            y=_SPREAD_HEIGHT - height,
            height=height,
            words=_(
                "%(number)s took %(low)s to %(high)s",
                number=formats.count(number),
                low=formats.duration(low),
                high=formats.duration(high),
            ),
        )


def _x(found: RunTimes, at: float) -> float:
    return round(_WIDTH * (at - found.since) / found.period, 1)


def _lines(
    found: RunTimes, told: Mapping[int, _Percentiles], scale: _DurationScale
) -> Iterator[tuple[str, str]]:
    """Yield a path for each percentile; a stretch in which nothing ended leaves a gap."""
    for place, name in enumerate(_NAMES):
        path, last = "", None
        for point in found.points:
            value = told[point.at][place]
            if value is None:
                continue
            x = _x(found, point.at + found.step / 2)
            y = round(_TREND_HEIGHT * (1 - scale.place(value)), 1)
            is_next = last is not None and point.at - last <= found.step
            path += f"L{x},{y}" if is_next else f"M{x},{y}h1"
            last = point.at
        yield name, path


def _failures(found: RunTimes, most: int) -> str:
    """Return the bars of the failures of each stretch, as one path."""
    width = max(1.0, round(_WIDTH * found.step / found.period - 0.5, 1))
    bars = []
    for point in found.points:
        if point.failed:
            height = max(_LEAST_BAR, round(_FAILED_HEIGHT * point.failed / most, 1))
            bars.append(f"M{_x(found, point.at)},{_FAILED_HEIGHT}v-{height}h{width}v{height}z")
    return "".join(bars)


def _marks(found: RunTimes) -> Iterator[TrendMark]:
    for each in found.marks:
        place = _x(found, each.at / SECOND)
        yield TrendMark(place, each.at, each.kind, annotation_words(each), each.href)


def _row(point: RunTimesPoint, percentiles: _Percentiles) -> TableRow:
    return TableRow(
        at=point.at * SECOND,
        ended=formats.count(point.ended),
        failed=formats.count(point.failed),
        percentiles=tuple(formats.duration(value) for value in percentiles),
    )

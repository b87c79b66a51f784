"""The chart of the deck: what can be chosen, its lines with their figures, and what happened."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import fsum
from statistics import fmean
from typing import Any, Final, get_args

from msgspec import Struct

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.history import (
    STEPS,
    Chart,
    ChartRequest,
    Grouping,
    Series,
    groupings,
)
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.annotations import annotation_words
from pooldeck_server.web.text.colours import COLOURS, Colour, colours_of
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.states import state_word

_SERIES: Final[Mapping[Series, str]] = {
    "throughput": later("Throughput"),
    "failures": later("Failures"),
    "wait_p95": later("Wait, p95"),
    "wait_p50": later("Wait, p50"),
    "run_p95": later("Run, p95"),
    "run_p50": later("Run, p50"),
    "queued": later("Queued"),
    "oldest_wait": later("Oldest wait"),
    "utilization": later("Utilization"),
    "busy": later("Busy slots"),
    "size": later("Slots"),
    "cpu": later("CPU of workers"),
    "memory": later("Memory of workers"),
    "switches": later("Context switches"),
}
_GROUPS: Final[Mapping[Grouping, str]] = {
    "none": later("all together"),
    "pool": later("by pool"),
    "function": later("by function"),
    "state": later("by state"),
}
_PERIODS: Final[Mapping[int, str]] = {
    900: later("15 minutes"),
    3600: later("1 hour"),
    21600: later("6 hours"),
    86400: later("24 hours"),
    604800: later("7 days"),
}
_STATE_COLOURS: Final = {
    State.SUCCEEDED: "ok",
    State.FAILED: "failed",
    State.CANCELLED: "line-strong",
    State.LOST: "lost",
}
_BY_TEXT: Final = {str(length): length for length in STEPS}
_OTHERS: Final = "others"  # the line of all that have none of their own
_DIGITS: Final = 4  # of a value that is only drawn
_HAPPENINGS: Final = 12  # that are listed below the chart


class ShownLine(Struct, frozen=True):
    """A line with its figures in words; `colour` names a property of the style sheets.

    `dash` tells lines of the same colour apart, from 0.
    """

    label: str
    colour: str
    dash: int
    latest: str
    lowest: str
    mean: str
    highest: str


class ShownChart(Struct, frozen=True):
    """The chart: what can be chosen, its lines, what happened, and what the browser draws."""

    wanted: ChartRequest
    title: str
    series: Sequence[tuple[Series, str, str]]  # each with the groupings that it knows
    periods: Sequence[tuple[int, str]]
    groups: Sequence[tuple[Grouping, str, bool]]
    lines: Sequence[ShownLine]
    happenings: Sequence[StoredAnnotation]
    earlier: int
    drawing: Mapping[str, Any]

    @property
    def function_colours(self) -> dict[str, int]:
        """The numbers of colours that functions have in it, where it has a line for each."""
        if self.wanted.by != "function":
            return {}
        numbers = ((line.label, line.colour.removeprefix("fn-")) for line in self.lines)
        return {name: int(number) for name, number in numbers if number.isdecimal()}


def chosen(query: Mapping[str, str], pool: str | None, function: str | None) -> ChartRequest:
    """Return what an address asks for; what makes no sense in it becomes the usual."""
    series = _one_of(query.get("series"), get_args(Series), "throughput")
    known = groupings(series)
    return ChartRequest(
        series=series,
        period=_BY_TEXT.get(query.get("period", ""), 3600),
        by=_one_of(query.get("by"), known, "none"),
        pools=(pool,) if pool else (),
        functions=(function,) if function and "function" in known else (),
    )


def _one_of(value: str | None, known: Sequence[Any], otherwise: Any) -> Any:
    return value if value in known else otherwise


def shown_chart(chart: Chart, wanted: ChartRequest, pools: Sequence[str], now: int) -> ShownChart:
    lines = list(_lines(chart, wanted.by, pools))
    happenings = sorted(chart.annotations, key=lambda each: each.at)
    words = (_SERIES[chart.series], _GROUPS[wanted.by], _PERIODS[chart.period])
    known = groupings(chart.series)
    return ShownChart(
        wanted=wanted,
        title=_(", ").join(map(_, words)),
        series=[(name, _(words), " ".join(groupings(name))) for name, words in _SERIES.items()],
        periods=[(length, _(words)) for length, words in _PERIODS.items()],
        groups=[(name, _(words), name in known) for name, words in _GROUPS.items()],
        lines=lines,
        happenings=happenings[: -_HAPPENINGS - 1 : -1],
        earlier=max(0, len(happenings) - _HAPPENINGS),
        drawing=_drawing(chart, lines, happenings) | {"until": seconds(now)},
    )


def _lines(chart: Chart, by: Grouping, pools: Sequence[str]) -> Iterator[ShownLine]:
    """Yield the lines with their figures; those of one colour get different dashes."""
    used: Counter[str] = Counter()
    shown = colours_of(_weights(chart)) if by == "function" else {}
    pools = [*pools, *(line.name for line in chart.lines if line.name not in pools)]
    for line in chart.lines:
        colour = _colour(line.name, by, pools, shown)
        known = [value for value in line.values if value is not None]
        latest = line.values[-1] if line.values else None
        figures = (latest, min(known), fmean(known), max(known)) if known else (None,) * 4
        words = (amount(each, chart.unit) for each in figures)
        yield ShownLine(_label(line.name, by), colour, used[colour], *words)
        used[colour] += 1


def _colour(name: str, by: Grouping, pools: Sequence[str], functions: Mapping[str, Colour]) -> str:
    if by == "none":
        return "accent"
    if by == "state":
        return _STATE_COLOURS.get(State(name), "dim")
    if name == _OTHERS:
        return "line-strong"
    return f"fn-{functions[name] if by == 'function' else pools.index(name) % COLOURS}"


def _weights(chart: Chart) -> dict[str, float]:
    """Return how much shows of each function that has a line."""
    named = (line for line in chart.lines if line.name != _OTHERS)
    return {line.name: fsum(each or 0.0 for each in line.values) for line in named}


def _label(name: str, by: Grouping) -> str:
    if by == "state":
        return state_word(name)
    return {"all": _("all"), "others": _("others")}.get(name, name)


_WORDS: Final[Mapping[str, Callable[[float], str]]] = {
    "s": formats.duration,
    "bytes": lambda octets: formats.size(int(octets)),
    "percent": formats.percent,
    "share": lambda share: formats.percent(100 * share),
    "per s": lambda number: f"{formats.rate(number)}/s",
}


def amount(value: float | None, unit: str) -> str:
    """Return a value of a chart as people read it; static/js/chart_values.js words it the same."""
    return formats.NOTHING if value is None else _WORDS.get(unit, formats.rate)(value)


def _drawing(
    chart: Chart, lines: Sequence[ShownLine], happenings: Sequence[StoredAnnotation]
) -> dict[str, Any]:
    return {
        "unit": chart.unit,
        "step": chart.step,
        "start": chart.at[0] if chart.at else 0,
        "lines": [
            {
                "label": shown.label,
                "colour": shown.colour,
                "dash": shown.dash,
                "values": [_rounded(value) for value in line.values],
            }
            for line, shown in zip(chart.lines, lines, strict=True)
        ],
        "marks": [
            {
                "at": seconds(each.at),
                "kind": each.kind,
                "text": annotation_words(each),
                "href": each.href,
            }
            for each in happenings
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")

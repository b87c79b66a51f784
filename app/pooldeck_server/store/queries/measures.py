"""What the rows of a point are worth, for each series of a chart.

An amount is what a row has to say of the series: a few numbers, or a number and the text of a
histogram. The amounts that belong to one point of one line are added up, and then give its value.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, Table

from pooldeck_server.domain.measurements.histograms import from_text, joined, percentile
from pooldeck_server.domain.pools.history import COUNTED, SPREAD, Series
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.tables import flows, samples

Amount: TypeAlias = Sequence[Any]


class Measure(Struct, frozen=True):
    """How the rows that belong to a point become its value."""

    table: Table  # whose rows
    amount: tuple[ColumnElement[Any], ...]  # the amount of a row, in SQL
    # for each part of an amount, what becomes of that of several
    add: tuple[Callable[[Any], Any], ...]
    # the value of an amount, at a point that covers so many seconds
    value: Callable[[Amount, float], float | None]
    missing: float | None  # the value where there are no rows, but a server ran
    # how much a line weighs that has this amount: the heaviest are shown
    weight: Callable[[Amount], float] = lambda amount: float(amount[0])

    def added(self, amounts: Sequence[Amount]) -> Amount:
        """Return the amount of several together."""
        if len(amounts) == 1:
            return amounts[0]
        return [add(parts) for add, parts in zip(self.add, zip(*amounts, strict=True), strict=True)]


def _ends(states: tuple[State, ...]) -> Measure:
    """Return ends per second; an amount has a number for each state."""
    return Measure(
        table=flows,
        amount=tuple(flows.c[state] for state in states),
        add=(sum,) * len(states),
        value=lambda amount, seconds: sum(amount) / seconds,
        missing=0.0,
        weight=sum,
    )


def _spread(of: str, share: float) -> Measure:
    """Return a percentile of waits or runs; an amount is how many ended, and a histogram."""
    ended = flows.c.succeeded + flows.c.failed + flows.c.cancelled + flows.c.lost
    return Measure(
        table=flows,
        amount=(ended, flows.c[of]),
        add=(sum, joined),
        value=lambda amount, _: percentile(from_text(amount[1]), share),
        missing=None,
    )


def _mean(*columns: str) -> Measure:
    """Return the sum of columns that are means; an amount is their sum over time."""
    first, *others = (samples.c[column] for column in columns)
    return Measure(
        table=samples,
        amount=(sum(others, first) * samples.c.seconds,),
        add=(sum,),
        value=lambda amount, seconds: float(amount[0] / seconds),
        missing=None,
    )


_OLDEST_WAIT: Final = Measure(
    table=samples,
    amount=(samples.c.oldest_wait,),
    add=(max,),
    value=lambda amount, _: float(amount[0]),
    missing=None,
)
_UTILIZATION: Final = Measure(
    table=samples,
    amount=(samples.c.busy * samples.c.seconds, samples.c.slots * samples.c.seconds),
    add=(sum, sum),
    value=lambda amount, _: min(1.0, amount[0] / amount[1]) if amount[1] else None,
    missing=None,
)
MEASURES: Final[Mapping[Series, Measure]] = {
    **{series: _ends(states) for series, states in COUNTED.items()},
    **{series: _spread(of, share) for series, (of, share) in SPREAD.items()},
    "queued": _mean("queued"),
    "oldest_wait": _OLDEST_WAIT,
    "utilization": _UTILIZATION,
    "busy": _mean("busy"),
    "size": _mean("slots"),
    "cpu": _mean("cpu_percent"),
    "memory": _mean("rss_bytes"),
    "switches": _mean("voluntary", "involuntary"),
}

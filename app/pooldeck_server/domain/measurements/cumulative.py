"""Histograms as Prometheus has them: counts since the start, in buckets that never change.

They are for scrapers, who take the difference of two looks. The charts have finer ones of their
own: see `histograms`.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf
from typing import Final

TASK_SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0),
)
"""Upper bounds of waits and runs of tasks, which take a millisecond or hours."""

ANSWER_SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 60.0),
)
"""Upper bounds of what somebody waits for: answers, commits, a turn of the event loop."""


class CumulativeHistogram:
    """Durations in seconds since the start. One thread adds to it, any may look."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0  # the sum of all durations

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Yield each upper bound with how many durations are at most that; the last is infinite."""
        return zip((*self._bounds, inf), accumulate(self._counts), strict=True)

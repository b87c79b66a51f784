"""The run times of one function over a time: how they spread, how that went, and what failed."""

from msgspec import Struct

from pooldeck_server.domain.measurements.histograms import Histogram, percentiles
from pooldeck_server.domain.pools.annotations import StoredAnnotation

SHARES = (0.5, 0.95, 0.99)
"""Which percentiles are told."""


class RunTimesPoint(Struct, frozen=True):
    """What ended in a stretch from `at` (seconds since the epoch) on; `failed` includes lost."""

    at: int
    ended: int
    failed: int
    run: Histogram

    @property
    def percentiles(self) -> tuple[float | None, ...]:
        """Return the run time within which each of `SHARES` ended, in seconds."""
        return percentiles(self.run, SHARES)


class RunTimes(Struct, frozen=True):
    """The run times of a function in `period` seconds up to now.

    A point for each stretch of `step` seconds in which anything ended, the oldest first, of those
    from `since` until before `until`. `marks` are what was done to the function and its pool, and
    what befell them, the oldest first.
    """

    period: int
    step: int
    since: int
    until: int
    points: tuple[RunTimesPoint, ...]
    marks: tuple[StoredAnnotation, ...] = ()

    @property
    def run(self) -> Histogram:
        return sum(point.run for point in self.points)

    @property
    def percentiles(self) -> tuple[float | None, ...]:
        return percentiles(self.run, SHARES)

    @property
    def ended(self) -> int:
        return sum(point.ended for point in self.points)

    @property
    def failed(self) -> int:
        return sum(point.failed for point in self.points)

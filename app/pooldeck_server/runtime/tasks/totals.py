"""What went through the pools since the start, for scrapers: counts that only rise, histograms."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from pooldeck_server.domain.measurements.cumulative import TASK_SECONDS, CumulativeHistogram
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State

OTHER: Final = "other"
"""The name under which the functions are counted that have none of their own."""

PoolFunction = tuple[str, str]


class FunctionNames:
    """The functions that are told apart: so many at most, the first that come.

    A name is never given up, nor given later to a function that was one of the others: what is
    counted must not fall.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._names: dict[str, str] = {}

    def name(self, function: str) -> str:
        """Return what a function is counted under."""
        name = self._names.get(function)
        if name is not None:
            return name
        if len(self._names) >= self._most:
            return OTHER
        self._names[function] = function
        return function


class Series:
    """What went through a pool of a function, or of all others together."""

    __slots__ = ("runs", "submitted", "waits")

    def __init__(self) -> None:
        self.submitted = 0
        self.waits = CumulativeHistogram(TASK_SECONDS)  # of attempts, before they began
        self.runs = CumulativeHistogram(TASK_SECONDS)  # of attempts


class Totals:
    """Counts the moves of each commit, by pool and function."""

    def __init__(self, most_functions: int) -> None:
        self.functions = FunctionNames(most_functions)
        self.series: dict[PoolFunction, Series] = {}  # by what functions are counted under
        self.errors: Counter[tuple[str, str]] = Counter()  # of attempts, by pool and kind
        self._of_function: dict[PoolFunction, Series] = {}

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        """Count; a wait and a run belong to an attempt, and are told as in the charts."""
        for move in moves:
            series = self._of_function.get((move.pool, move.function))
            if series is None:
                series = self._new(move.pool, move.function)
            if move.before is None:
                series.submitted += 1
            elif move.wait_seconds is not None and move.before is not State.RUNNING:
                series.waits.add(move.wait_seconds)
            if move.run_seconds is not None:
                series.runs.add(move.run_seconds)
            if move.error_kind is not None:
                self.errors[move.pool, move.error_kind] += 1

    def _new(self, pool: str, function: str) -> Series:
        """Return the series of a function that is new here, which may be that of others as well."""
        series = self.series.setdefault((pool, self.functions.name(function)), Series())
        self._of_function[pool, function] = series
        return series

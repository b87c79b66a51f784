"""How long each function usually takes, from its latest runs, kept in memory.

Until a function has run a few times since the server started, the store says what was usual before.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from pooldeck.outcome import Measurement
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.measurements.figures import Durations, Percentiles
from pooldeck_server.runtime.background import BackgroundTasks

_log = logging.getLogger(__name__)
_RUNS: Final = 200
_FEW: Final = 20  # runs that say less than what the store has kept
_FEWEST: Final = 5  # runs that say anything at all
_SMOOTHING: Final = 0.1
_QUICK: Final = 0.001
_LEAST_WORK: Final = 0.00025  # a call and its outcome keep a slot at least this long


class RecentDurations:
    """Recent run times per function, in seconds."""

    def __init__(self, look_up: Callable[[str], Awaitable[Durations]]) -> None:
        self._look_up = look_up
        self._runs: dict[str, deque[float]] = {}
        self._work: dict[str, float] = {}
        self._spread: dict[str, Percentiles | None] = {}  # of those that have not run since
        self._kept: dict[str, Percentiles | None] = {}  # None: the store does not know it either
        self._lookups = BackgroundTasks()

    async def stop(self) -> None:
        await self._lookups.stop()

    def add_run(self, function: str, measurement: Measurement) -> None:
        runs = self._runs.get(function)
        if runs is None:
            runs = self._runs[function] = deque(maxlen=_RUNS)
        runs.append(measurement.run)
        self._spread.pop(function, None)
        work = measurement.decode + measurement.run + measurement.encode
        mean = self._work.get(function, work)
        self._work[function] = mean + _SMOOTHING * (work - mean)

    def spread(self, function: str) -> Percentiles | None:
        """Return how long its latest runs took; None if too few are known."""
        if function not in self._spread:
            self._spread[function] = self._compute(function)
        return self._spread[function]

    def _compute(self, function: str) -> Percentiles | None:
        runs = self._runs.get(function, ())
        if len(runs) < _FEW:
            self._look_up_once(function)
            if kept := self._kept.get(function):
                return kept
        return Percentiles.of(runs) if len(runs) >= _FEWEST else None

    def _look_up_once(self, function: str) -> None:
        """Have the store asked what was usual, if it was not."""
        if function not in self._kept:
            self._kept[function] = None
            self._lookups.start(self._fetch(function))

    async def _fetch(self, function: str) -> None:
        try:
            durations = await self._look_up(function)
        except PooldeckError as error:
            _log.warning(
                "how long %s usually takes could not be read: %s",
                *(function, error),
                extra=about(function=function),
            )
            return
        if durations.n >= _FEWEST:
            self._kept[function] = durations.run
            self._spread.pop(function, None)

    def is_quick(self, function: str) -> bool:
        """Tell whether its runs are so short that handing them over one by one costs more."""
        return self._work.get(function, _QUICK) < _QUICK

    def work(self, function: str) -> float | None:
        """Return how long one run keeps a worker busy, in the mean; None if it has not run."""
        mean = self._work.get(function)
        return None if mean is None else max(mean, _LEAST_WORK)

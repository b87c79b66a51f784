"""How long each function usually takes, from its latest runs, kept in memory."""

from collections import deque
from typing import Final

from pooldeck.outcome import Measurement

_RUNS: Final = 200
_SMOOTHING: Final = 0.1
_QUICK: Final = 0.001
_LEAST_WORK: Final = 0.00025  # a call and its outcome keep a slot at least this long


class Usual:
    """Recent run times per function, in seconds."""

    def __init__(self) -> None:
        self._runs: dict[str, deque[float]] = {}
        self._work: dict[str, float] = {}

    def note(self, function: str, measurement: Measurement) -> None:
        """Remember one run."""
        runs = self._runs.get(function)
        if runs is None:
            runs = self._runs[function] = deque(maxlen=_RUNS)
        runs.append(measurement.run)
        work = measurement.decode + measurement.run + measurement.encode
        mean = self._work.get(function, work)
        self._work[function] = mean + _SMOOTHING * (work - mean)

    def median(self, function: str) -> float | None:
        """Return the median of its latest runs, or None if it has not run yet."""
        runs = self._runs.get(function)
        return sorted(runs)[len(runs) // 2] if runs else None

    def is_quick(self, function: str) -> bool:
        """Tell whether its runs are so short that handing them over one by one costs more."""
        return self._work.get(function, _QUICK) < _QUICK

    def work(self, function: str) -> float | None:
        """Return how long one run keeps a worker busy, in the mean; None if it has not run."""
        mean = self._work.get(function)
        return None if mean is None else max(mean, _LEAST_WORK)

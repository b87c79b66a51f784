"""What a pool had to do in the last hour, in windows: what its size is judged by."""

from collections import Counter
from typing import Final

from msgspec import Struct

WINDOW: Final = 300
"""Seconds of a window; the newest ends with the last stretch of history."""

PERIOD: Final = 3600
"""Seconds that are looked at."""


class Passed(Struct, frozen=True, array_like=True):
    """How many tasks of a function came to a pool within a window, and how many ended their run."""

    function: str
    submitted: int
    ran: int


class LoadWindow(Struct, frozen=True):
    """A pool within a window, of which a server ran for `seconds`.

    Means, but `oldest_wait` (seconds), which is the highest. Switches are per second.
    """

    seconds: int
    oldest_wait: float
    slots: float
    busy: float
    queued: float
    voluntary: float
    involuntary: float
    passed: tuple[Passed, ...] = ()


class PoolLoad(Struct, frozen=True):
    """A pool in the last hour; windows in which no server ran are left out."""

    windows: tuple[LoadWindow, ...] = ()

    @property
    def seconds(self) -> int:
        return sum(window.seconds for window in self.windows)

    @property
    def slots(self) -> float:
        return self._mean("slots")

    @property
    def busy(self) -> float:
        """Return how many slots were seen to be busy on average, in looks a second apart."""
        return self._mean("busy")

    @property
    def oldest_wait(self) -> float:
        """Return the longest that a task was seen to wait, in seconds."""
        return max((window.oldest_wait for window in self.windows), default=0.0)

    @property
    def switches(self) -> tuple[float, float]:
        """Return the context switches per second of its workers, voluntary and involuntary."""
        return self._mean("voluntary"), self._mean("involuntary")

    @property
    def ran(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for window in self.windows:
            counts.update({passed.function: passed.ran for passed in window.passed})
        return dict(+counts)

    @property
    def submitted(self) -> int:
        return sum(passed.submitted for window in self.windows for passed in window.passed)

    def _mean(self, name: str) -> float:
        if not self.seconds:
            return 0.0
        total: float = sum(getattr(window, name) * window.seconds for window in self.windows)
        return total / self.seconds

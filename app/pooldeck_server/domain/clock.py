"""Time, from one place that a test can replace."""

import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """What the server reads time from."""

    def now(self) -> int:
        """Return the wall clock in microseconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go back, shared with the workers of this machine."""


@dataclass(frozen=True)
class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        """Return the wall clock in microseconds since the epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()


@dataclass
class ManualClock:
    """A clock that moves only when told to; both of its hands can be set apart."""

    wall: int = 1_700_000_000_000_000
    elapsed: float = field(default=1000.0)

    def now(self) -> int:
        """Return the wall time that was set."""
        return self.wall

    def monotonic(self) -> float:
        """Return the monotonic time that was set."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Move both hands forward."""
        self.wall += int(seconds * 1_000_000)
        self.elapsed += seconds

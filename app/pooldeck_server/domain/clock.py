"""Time: the clock, from one place that a test can replace, and the one unit that moments are in.

A moment is an integer: microseconds since the epoch. A duration is a float: seconds.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

SECOND: Final = 1_000_000
"""Microseconds, as the other two."""

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

_BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)  # Linux has it
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def span(seconds: float) -> int:
    """Return a duration in whole microseconds, to be added to a moment."""
    return int(seconds * SECOND)


def seconds(microseconds: int) -> float:
    """Return a moment, or the difference of two, in seconds."""
    return microseconds / SECOND


class Clock(Protocol):
    """What the server reads time from."""

    def now(self) -> int:
        """Return the wall clock in microseconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go back, shared with the workers of this machine."""

    def since_boot(self) -> float:
        """Return seconds that never go back and go on while the machine is suspended, if it can."""


@dataclass(frozen=True)
class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    def since_boot(self) -> float:
        return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


@dataclass
class ManualClock:
    """A clock that moves only when told to; both of its hands can be set apart."""

    wall: int = 1_700_000_000_000_000
    elapsed: float = field(default=1000.0)
    suspended: float = 0.0

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.elapsed

    def since_boot(self) -> float:
        return self.elapsed + self.suspended

    def advance(self, seconds: float) -> None:
        self.wall += span(seconds)
        self.elapsed += seconds

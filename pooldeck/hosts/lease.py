"""The arithmetic of leases: when a host must end its calls, and when the server may count on that.

The host counts from when it asked, by its own clock; the server from when it granted, by its own.
It asked before that was granted, so the host is over first, however long frames are on their way,
as long as the clocks do not run at rates that differ by more than a known part.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

RATE_BOUND: Final = 1e-3
"""By how much the rates of two clocks may differ; while NTP slews one, that is half of it."""

_MOST_ASKED: Final = 1000  # of requests that nobody has answered; older ones are forgotten


def host_clock() -> float:
    """Return the seconds of a clock of this machine that goes on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(eq=False)
class HostLease:
    """The host's half.

    Args:
        seconds: How long a lease is.
        clock: Its own clock.
    """

    seconds: float
    clock: Callable[[], float] = host_clock
    until: float = 0.0  # by the clock
    _asked: dict[int, float] = field(default_factory=dict)
    _last: int = 0

    def ask(self) -> int:
        """Return the number of a request that is sent at this moment, or later."""
        self._last += 1
        self._asked[self._last] = self.clock()
        if len(self._asked) > _MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        return self._last

    def granted(self, n: int) -> float:
        """Return until when the lease lasts if the request of a number is granted."""
        asked = self._asked.get(n)
        for earlier in [each for each in self._asked if each <= n]:
            del self._asked[earlier]
        return self.until if asked is None else max(self.until, asked + self.seconds)

    @property
    def left(self) -> float:
        """Return how many seconds are left, none if it is negative."""
        return self.until - self.clock()


@dataclass(eq=False)
class ServerLease:
    """The server's half.

    Args:
        seconds: How long a lease is.
        margin: How long the host may take to end what runs.
        rate_bound: By how much the rates of the clocks may differ.
        clock: Its own clock.
    """

    seconds: float
    margin: float
    rate_bound: float = RATE_BOUND
    clock: Callable[[], float] = time.monotonic
    is_given_up: bool = False
    _granted_at: float | None = None

    def grant(self) -> bool:
        """Note a grant that is sent after this returns; return whether it may be sent."""
        if not self.is_given_up:
            self._granted_at = self.clock()
        return not self.is_given_up

    @property
    def over_at(self) -> float:
        """Return when everything that ran under it has certainly ended."""
        if self._granted_at is None:
            return self.clock()
        return self._granted_at + certainly_over(self.seconds, self.margin, self.rate_bound)

    def give_up(self) -> bool:
        """Grant nothing any more; return whether everything has certainly ended."""
        self.is_given_up = self.is_given_up or self.clock() >= self.over_at
        return self.is_given_up


def certainly_over(lease: float, margin: float, rate_bound: float = RATE_BOUND) -> float:
    """Return how many seconds after its last grant a host has certainly ended everything."""
    return lease * (1.0 + rate_bound) + margin

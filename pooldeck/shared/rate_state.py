"""Rate limiters where they are kept: turns in the order of asking.

A token bucket as the generic cell rate algorithm has it (ITU-T I.371): one moment, from which on
the next token counts, says everything.
"""

import time
from dataclasses import dataclass, field

from pooldeck.shared.snapshot import SharedEntry
from pooldeck.shared.values_state import NamedState


@dataclass(eq=False)
class RateLimiterState(NamedState):
    """So many turns a second, and so many at once after a pause."""

    kind = "rate_limiter"
    operations = frozenset({"pause", "reserve"})

    _next: float = field(default=0.0, init=False)  # a monotonic time, past if there was a pause

    def reserve(self, n: int, patience: float | None) -> tuple[bool, float]:
        """Take the next `n` turns, unless they come later than in `patience` seconds.

        Return whether they are taken, and in how many seconds they come, or would come.
        """
        now = time.monotonic()
        first = self._first(now)
        wait = max(0.0, first + (n - 1) * self._interval - now)
        is_taken = patience is None or wait <= patience
        if is_taken:
            self._next = first + n * self._interval
        return is_taken, wait

    def pause(self, seconds: float) -> None:
        """Give no new turns for so long; turns that are given stay as they are."""
        self._next = max(self._next, time.monotonic() + seconds)

    def snapshot(self, name: str) -> SharedEntry:
        now = time.monotonic()
        return SharedEntry(
            self.kind,
            name,
            per_second=self._settings["per_second"],
            burst=int(self._settings["burst"]),
            ahead=max(0.0, self._first(now) - now),
        )

    @property
    def _interval(self) -> float:
        return 1 / self._settings["per_second"]

    def _first(self, now: float) -> float:
        """Return the moment of the next turn; a pause has saved up at most a burst."""
        return max(self._next, now - (self._settings["burst"] - 1) * self._interval)

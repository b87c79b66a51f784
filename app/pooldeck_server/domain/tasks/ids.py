"""Task ids: UUIDs of version 7, strictly increasing in the order of submission."""

import os
import struct
import threading
from collections.abc import Iterator
from typing import Final

from pooldeck_server.domain.clock import Clock

_STEPS: Final = struct.Struct("<1024I")  # drawn at once: a system call for each would cost too much
_LOW_BITS: Final = 62  # of the counter, behind the variant; 12 more stand behind the version
_ABOVE_START: Final = 32 - 10  # so that a start leaves room in these 12
_LOW: Final = (1 << _LOW_BITS) - 1
_VARIANT: Final = 2 << _LOW_BITS


class TaskIds:
    """Makes ids that sort by the time of submission, even when the wall clock steps back.

    Within a millisecond the random part counts up from a random start (RFC 9562, section 6.2,
    method 2), so that ids stay ordered and cannot be guessed from one another.
    """

    def __init__(self, clock: Clock, after: str | None = None) -> None:
        """Make ids from `clock`; all of them greater than the id `after`, if one is given."""
        self._clock = clock
        self._lock = threading.Lock()
        self._steps: Iterator[int] = iter(())
        last = 0 if after is None else int(after.replace("-", "")[:12], 16) + 1
        self._begin(last)

    def next(self) -> str:
        with self._lock:
            now = self._clock.now() // 1000
            if now > self._milliseconds:
                self._begin(now)
            else:
                self._low += 1 + self._step()
                if self._low > _LOW:
                    self._low &= _LOW
                    self._carry()
            low = f"{_VARIANT | self._low:x}"
            return f"{self._beginning}{low[:4]}-{low[4:]}"

    def _begin(self, milliseconds: int) -> None:
        """Count from a random start, above which is room to count."""
        self._milliseconds = milliseconds
        self._high = self._step() >> _ABOVE_START
        self._low = (self._step() << 32 | self._step()) & _LOW
        self._beginning = _beginning(milliseconds, self._high)

    def _carry(self) -> None:
        self._high += 1
        self._beginning = _beginning(self._milliseconds, self._high)

    def _step(self) -> int:
        """Return how much further to count, a random number below 2**32."""
        step = next(self._steps, None)
        if step is None:
            self._steps = iter(_STEPS.unpack(os.urandom(_STEPS.size)))
            step = next(self._steps)
        return step


def first_id_at(microseconds: int) -> str:
    """Return the smallest id that a task submitted at `microseconds` (wall clock) could have."""
    low = f"{_VARIANT:x}"
    return f"{_beginning(max(microseconds, 0) // 1000, 0)}{low[:4]}-{low[4:]}"


def _beginning(milliseconds: int, high: int) -> str:
    """Return an id up to its last two groups: the time, the version, the counter's high bits."""
    time = f"{milliseconds:012x}"
    return f"{time[:8]}-{time[8:]}-7{high:03x}-"

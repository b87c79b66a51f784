"""Task ids: UUIDs of version 7, strictly increasing in the order of submission."""

import os
import threading
from array import array
from collections.abc import Iterator

from app.domain.clock import Clock

_STEPS = 1024


class TaskIds:
    """Makes ids that sort by the time of submission, even when the wall clock steps back.

    Within a millisecond the random part counts up from a random start (RFC 9562, section 6.2,
    method 2), so that ids stay ordered and cannot be guessed from one another.
    """

    def __init__(self, clock: Clock, after: str | None = None) -> None:
        """Make ids from `clock`; all of them greater than the id `after`, if one is given."""
        self._clock = clock
        self._lock = threading.Lock()
        self._last_ms = 0 if after is None else int(after.replace("-", "")[:12], 16) + 1
        self._steps: Iterator[int] = iter(())
        self._counter = self._fresh()

    def next(self) -> str:
        """Return a new id."""
        with self._lock:
            now_ms = self._clock.now() // 1000
            if now_ms > self._last_ms:
                self._last_ms = now_ms
                self._counter = self._fresh()
            else:
                self._counter += self._step()
            return _format(self._last_ms, self._counter)

    def _step(self) -> int:
        """Return how far to count on, at random; a system call serves many steps."""
        step = next(self._steps, None)
        if step is None:
            self._steps = iter(array("I", os.urandom(_STEPS * array("I").itemsize)))
            step = next(self._steps)
        return 1 + step

    @staticmethod
    def _fresh() -> int:
        """Return a random start with room above it to count."""
        return int.from_bytes(os.urandom(9), "big")


def first_id_at(microseconds: int) -> str:
    """Return the smallest id that a task submitted at `microseconds` (wall clock) could have."""
    return _format(max(microseconds, 0) // 1000, 0)


def _format(milliseconds: int, counter: int) -> str:
    high = counter >> 62 & 0xFFF
    low = counter & (1 << 62) - 1
    value = milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

"""Task ids: UUIDs of version 7, strictly increasing in the order of submission."""

import os
import threading

from pooldeck_server.domain.clock import Clock

_DRAWN = 4096  # random bytes at once: a system call for each id would cost as much as the id
_START, _STEP = 9, 4  # of them, in a random start and in a random step


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
        self._drawn, self._used = b"", 0
        self._counter = self._random(_START)

    def next(self) -> str:
        with self._lock:
            now_ms = self._clock.now() // 1000
            if now_ms > self._last_ms:
                self._last_ms = now_ms
                self._counter = self._random(_START)  # above it is room to count
            else:
                self._counter += 1 + self._random(_STEP)
            return _format(self._last_ms, self._counter)

    def _random(self, size: int) -> int:
        start, end = self._used, self._used + size
        if end > len(self._drawn):
            self._drawn, start, end = os.urandom(_DRAWN), 0, size
        self._used = end
        return int.from_bytes(self._drawn[start:end], "big")


def first_id_at(microseconds: int) -> str:
    """Return the smallest id that a task submitted at `microseconds` (wall clock) could have."""
    return _format(max(microseconds, 0) // 1000, 0)


def _format(milliseconds: int, counter: int) -> str:
    high = counter >> 62 & 0xFFF
    low = counter & (1 << 62) - 1
    value = milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

"""How many calls of one function run at a time, in a worker that runs several.

How many there were when a call began or ended says little of the time between. So each moment is
divided among the calls that ran at it: the parts of all calls together are the time in which any
of them ran, whatever ran beside them.
"""

from threading import Lock
from time import perf_counter


class Turns:
    """The time in which calls of one function ran, by parts of one call each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self._moved_at = 0.0
        self._part = 0.0  # of a call that has run ever since the first

    def begin(self) -> float:
        """Count a call that begins; return the part that `end` is to be compared with."""
        return self._move(1)

    def end(self) -> float:
        """Count a call that ends; return the part, in seconds, what `begin` has returned off."""
        return self._move(-1)

    def _move(self, by: int) -> float:
        with self._lock:
            now = perf_counter()
            if self._running:
                self._part += (now - self._moved_at) / self._running
            self._moved_at = now
            self._running += by
            return self._part

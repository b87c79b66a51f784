"""What is kept of a log until it is sent, within its bounds: no flood fills a worker's memory.

The beginning of a log, half of its bounds, is sent as it comes. What follows may be the end: the
latest lines, as many as the other half holds, wait to be sent now and then. Lines that fall out
meanwhile are left out, which the gap in their numbers tells; errors among them are kept while they
are among the first or the last ones. Whoever stores the log leaves out what later lines make its
middle.
"""

import logging
from collections import deque
from typing import Final

from pooldeck.protocol import Limits, LogLine

_PAUSE: Final = 1.0  # seconds between two times that lines after the beginning are sent
_RATE: Final = 500  # of them a second in the long run: more cost the server more than they tell


class KeptLines:
    """The lines of a log that are yet to be sent."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._beginning: list[LogLine] = []
        self._lines_left = (limits.log_lines + 1) // 2
        self._bytes_left = limits.log_bytes // 2
        self._end: _Latest | None = None  # once the beginning is over
        self._sent_until = 0.0  # a moment of the monotonic clock

    def __bool__(self) -> bool:
        return bool(self._beginning or self._end)

    def surplus(self, lines: int) -> slice:
        """Return which of so many lines that come at once, none of them errors, cannot be kept."""
        first = max(0, self._lines_left) if self._end is None else 0
        return slice(first, max(first, lines - self._limits.log_lines // 2 - 1))

    def add(self, line: LogLine) -> None:
        if self._end is None:
            self._lines_left -= 1
            self._bytes_left -= size_of(line)
            if self._lines_left >= 0 and self._bytes_left >= 0:
                self._beginning.append(line)
                return
            self._end = _Latest(self._limits)
        self._end.add(line)

    def take(self, now: float, *, is_last: bool) -> list[LogLine]:
        """Return what is to be sent at a moment of the monotonic clock; all if it is the last."""
        lines, self._beginning = self._beginning, []
        if self._end and (is_last or now >= self._sent_until):
            late = self._end.take()
            self._sent_until = now + max(_PAUSE, len(late) / _RATE)
            lines += late
        return lines


class _Latest:
    """The latest lines of a log, and the errors before them."""

    def __init__(self, limits: Limits) -> None:
        self._most_lines = max(1, limits.log_lines // 2)
        self._most_bytes = limits.log_bytes // 2
        self._lines = _Queue()
        self._first_errors: list[LogLine] = []
        self._first_left = limits.log_errors  # of the first ones, how many may be kept yet
        self._first_bytes = limits.log_bytes
        self._most_errors = limits.log_errors
        self._last_errors = _Queue()

    def __bool__(self) -> bool:
        return bool(self._lines.lines)

    def add(self, line: LogLine) -> None:
        for gone in self._lines.push(line, self._most_lines, self._most_bytes):
            if is_error(gone.level):
                self._keep_error(gone)

    def _keep_error(self, line: LogLine) -> None:
        self._first_bytes -= size_of(line)
        if self._first_left > 0 and self._first_bytes >= 0:
            self._first_left -= 1
            self._first_errors.append(line)
        else:
            self._last_errors.push(line, self._most_errors, self._most_bytes)

    def take(self) -> list[LogLine]:
        lines = [*self._first_errors, *self._last_errors.lines, *self._lines.lines]
        self._first_errors.clear()
        self._last_errors = _Queue()
        self._lines = _Queue()
        return lines


class _Queue:
    """Lines in order, the oldest of which give way."""

    def __init__(self) -> None:
        self.lines: deque[LogLine] = deque()
        self._bytes = 0

    def push(self, line: LogLine, most_lines: int, most_bytes: int) -> list[LogLine]:
        """Add a line; return those that give way to it. The latest stays, whatever its size."""
        self.lines.append(line)
        self._bytes += size_of(line)
        gone = []
        while len(self.lines) > most_lines or (self._bytes > most_bytes and len(self.lines) > 1):
            gone.append(self.lines.popleft())
            self._bytes -= size_of(gone[-1])
        return gone


def size_of(line: LogLine) -> int:
    """Return how many bytes a line counts for."""
    message = line.message
    return len(message) if message.isascii() else len(message.encode())


def is_error(level: str) -> bool:
    """Tell whether a level, by its name, is ERROR or above."""
    number = logging.getLevelName(level)
    return isinstance(number, int) and number >= logging.ERROR

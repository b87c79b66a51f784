"""What is kept of a log that is over its bounds: beginning, end, the first and last errors.

Half of the bounds are the beginning's; what follows is the end, until more comes. So that a long
log costs no deletion for each line, the end is made of parts, and the oldest goes as a whole.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

_PARTS: Final = 8  # that the end is made of


class LogBounds(Struct, frozen=True):
    """How many lines of a log are kept, of how many bytes, and how many errors beside them.

    As many errors are kept of the first as of the last ones.
    """

    lines: int
    bytes: int
    errors: int


class Cut(Struct, frozen=True):
    """Lines that go: all from `first` to `last`, or all but errors and unfinished ones."""

    first: int
    last: int
    takes_all: bool


class _Part(Struct):
    """A stretch of the end, and the errors in it that are not among the first ones."""

    first: int
    last: int = 0
    lines: int = 0
    bytes: int = 0
    errors: list[int] = []


@dataclass(eq=False)
class KeptLines:
    """Counts the lines of one log as they are finished, and says which are to go."""

    bounds: LogBounds
    _last: int = field(init=False, default=0)  # the highest number so far
    _errors: int = field(init=False, default=0)  # in all
    _late_errors: deque[int] = field(init=False, default_factory=deque)  # of the parts that went
    _end: deque[_Part] = field(init=False, default_factory=deque)
    _lines: int = field(init=False, default=0)  # of the end
    _bytes: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._lines_left = (self.bounds.lines + 1) // 2  # for the beginning
        self._bytes_left = self.bounds.bytes // 2

    def add(self, n: int, size: int, *, is_error: bool) -> None:
        """Count a line of `size` bytes.

        One whose number is not above all before it, since it was finished late, takes up room among
        the latest, but goes with those around it.
        """
        self._errors += is_error
        if self._lines_left and size <= self._bytes_left:
            self._lines_left -= 1
            self._bytes_left -= size
        else:
            self._lines_left = 0
            self._add_to_end(n, size, is_error=is_error)
        self._last = max(self._last, n)

    def _add_to_end(self, n: int, size: int, *, is_error: bool) -> None:
        most = self.bounds
        part = self._end[-1] if self._end else None
        if part is None or (
            part.lines >= most.lines // 2 // _PARTS or part.bytes >= most.bytes // 2 // _PARTS
        ):
            part = _Part(self._last + 1)
            self._end.append(part)
        part.last = max(self._last, n)
        part.lines += 1
        part.bytes += size
        if is_error and self._errors > most.errors and n > self._last:
            part.errors.append(n)
        self._lines += 1
        self._bytes += size

    def cuts(self) -> Iterator[Cut]:
        """Yield what is to go by now; the latest part stays, whatever its size."""
        most = self.bounds
        while len(self._end) > 1 and (
            self._lines > most.lines // 2 or self._bytes > most.bytes // 2
        ):
            part = self._end.popleft()
            self._lines -= part.lines
            self._bytes -= part.bytes
            yield Cut(part.first, part.last, takes_all=False)
            self._late_errors += part.errors
            if over := max(0, len(self._late_errors) - most.errors):
                gone = [self._late_errors.popleft() for _ in range(over)]
                yield Cut(gone[0], gone[-1], takes_all=True)

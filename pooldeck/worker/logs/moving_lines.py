"""Lines of a stream that change in turn, such as progress bars one below the other.

Whoever draws them moves the cursor of a terminal up again. A line that was complete before that is
not changed any more; another stands for it from then on.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from pooldeck.text import LineBuffer

_UP: Final = re.compile(r"\x1b\[(\d*)[AF]")
_STEPS: Final = re.compile(r"(\n|\x1b\[\d*[AF])")
_DRAWS: Final = re.compile(r"\r|\x1b\[\d*[AFJK]")
_MOST: Final = 100  # lines


def moves_up(text: str) -> bool:
    """Tell whether text moves the cursor to a line above."""
    return "\x1b[" in text and _UP.search(text) is not None


def draws(text: str) -> bool:
    """Tell whether text may be a part of such lines, instead of what comes after them."""
    return not text.strip() or _DRAWS.search(text) is not None


class LineStream:
    """A stream of text that becomes lines, the unfinished one included."""

    __slots__ = ("buffer", "is_sent", "level", "n", "source")

    def __init__(self, source: str, level: str, most: int) -> None:
        self.source = source
        self.level = level
        self.buffer = LineBuffer(most)
        self.n = 0  # the number of the unfinished line, if there is one
        self.is_sent = True  # as it is


class MovingLines:
    """The lines of a stream that may change yet, from above, and which of them is written."""

    def __init__(self, line: LineStream) -> None:
        self.lines = [line]
        self._at = 0

    @property
    def current(self) -> LineStream:
        return self.lines[self._at]

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self.lines) - 1

    def go_down(self) -> None:
        self._go(1)

    def go_up(self, step: str, new: Callable[[], LineStream]) -> None:
        """Obey a sequence that moves the cursor up; `new` makes a line where there is none."""
        found = _UP.fullmatch(step)
        count = int(found[1] or 1) if found else 0
        for _ in range(min(count, _MOST)):
            if self._at == 0 and len(self.lines) < _MOST:
                self.lines.insert(0, new())
                self._at = 1
            self._go(-1)

    def _go(self, by: int) -> None:
        """Go to another line, at its beginning: what is written there replaces it."""
        self._at = max(0, self._at + by)
        buffer = self.current.buffer
        if buffer.rest and not buffer.rest.endswith("\r"):
            buffer.rest += "\r"


def steps(text: str) -> Iterator[str]:
    """Yield the text for each line, and between them what goes to another."""
    return filter(None, _STEPS.split(text))

"""One line at the bottom of a terminal that says how far something is; nothing in a pipe."""

import shutil
import sys
import time
from typing import Final

from pooldeck_server.command_line.output import is_closed
from pooldeck_server.domain.terminal_text import plain

_ERASE: Final = "\r\x1b[K"
_PAUSE: Final = 0.1  # seconds between two pictures of it
_BAR: Final = 24  # characters


class ProgressLine:
    """The last line of standard error, written anew each time; erase it before other lines."""

    def __init__(self) -> None:
        self._is_there = False
        self._next = 0.0
        self._is_terminal = not is_closed(sys.stderr) and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Write the line, unless that was done a moment ago."""
        now = time.monotonic()
        if not self._is_terminal or now < self._next:
            return
        self._next = now + _PAUSE
        width = shutil.get_terminal_size().columns - 1
        _write(f"{_ERASE}{' '.join(plain(text).split())[:width]}")
        self._is_there = True

    def erase(self) -> None:
        """Take the line away."""
        if self._is_there:
            _write(_ERASE)
            self._is_there, self._next = False, 0.0


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def bar(fraction: float) -> str:
    """Return a bar for a share between 0 and 1."""
    full = round(_BAR * min(max(fraction, 0.0), 1.0))
    return f"[{'#' * full}{'.' * (_BAR - full)}] {fraction:>4.0%}"

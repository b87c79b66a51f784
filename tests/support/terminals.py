"""A terminal of a size, with a command in it, and what a person would see there."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pyte

from tests.support.programs import started
from tests.support.serving import COMMAND

_BOUND = 60.0  # seconds that anything may take


class Terminal:
    """What a command shows; `raw` is all that it has written."""

    def __init__(self, process: "subprocess.Popen[Any]", end: int, width: int, height: int) -> None:
        self.process = process
        self.raw = b""
        self._end = end
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def modes(self) -> list[Any]:
        """How the terminal treats what is typed and written."""
        return termios.tcgetattr(self._end)

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def resize(self, width: int, height: int) -> None:
        self._screen.resize(height, width)
        _set_size(self._end, width, height)
        self.process.send_signal(signal.SIGWINCH)

    def wait_for(self, words: str, *, is_there: bool = True) -> None:
        """Return when something is to be seen, or is no more."""
        until = time.monotonic() + _BOUND
        while (words in self.text) != is_there:
            assert time.monotonic() < until, f"waited for {words!r}:\n{self.text}"
            assert self._read(0.1), f"it ended:\n{self.text}"

    def end(self) -> int:
        """Return the exit code, when the command has ended."""
        until = time.monotonic() + _BOUND
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it does not end:\n{self.text}"
            self._read(0.1)
        while self._read(0):
            pass
        return int(self.process.returncode)

    def _read(self, seconds: float) -> bool:
        """Take what was written; False if nothing more will be."""
        if not select.select([self._end], [], [], seconds)[0]:
            return seconds > 0
        data = os.read(self._end, 65536)
        self.raw += data
        self._stream.feed(data)
        return True


@contextmanager
def terminal(
    *arguments: str, environment: dict[str, str] | None = None, width: int = 80, height: int = 24
) -> Iterator[Terminal]:
    """Run a command of Pooldeck in a terminal of its own."""
    end, commands = pty.openpty()
    _set_size(end, width, height)
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_TERMINAL}
    with (
        closing(os.fdopen(end, "rb", buffering=0)),
        closing(os.fdopen(commands, "rb", buffering=0)),  # so that its modes outlive the command
        started(
            [*COMMAND, *arguments],
            env=inherited | {"TERM": "xterm-256color"} | (environment or {}),
            stdin=commands,
            stdout=commands,
            stderr=commands,
        ) as process,
    ):
        yield Terminal(process, end, width, height)


_OF_A_TERMINAL = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}


def _set_size(end: int, width: int, height: int) -> None:
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

"""A terminal that gives each key at once, and is as it was before whatever happens."""

import os
import re
import select
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn

ESCAPE: Final = "escape"
ENTER: Final = "enter"
UP: Final = "up"
DOWN: Final = "down"
PAGE_UP: Final = "page up"
PAGE_DOWN: Final = "page down"
HOME: Final = "home"
END: Final = "end"

_SEQUENCES: Final = {
    b"\x1b[A": UP,
    b"\x1bOA": UP,
    b"\x1b[B": DOWN,
    b"\x1bOB": DOWN,
    b"\x1b[5~": PAGE_UP,
    b"\x1b[6~": PAGE_DOWN,
    b"\x1b[H": HOME,
    b"\x1bOH": HOME,
    b"\x1b[1~": HOME,
    b"\x1b[F": END,
    b"\x1bOF": END,
    b"\x1b[4~": END,
    b"\r": ENTER,
    b"\n": ENTER,
    b"\x1b": ESCAPE,
}
_LONGEST: Final = 64  # bytes of keys that are read at once
_ESCAPE_SECONDS: Final = 0.05  # within which the rest of a sequence comes, also over ssh
_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])")  # of a key with a name


def _next(data: bytes) -> bytes:
    """Return what the first key of some has sent."""
    found = _SEQUENCE.match(data)
    return found[0] if found else data[:1]


class Keyboard:
    """The keys of a terminal, and what wakes whoever waits for one. Made by `keyboard`."""

    def __init__(self, terminal: int, woken: int, waking: int) -> None:
        self._terminal, self._woken, self._waking = terminal, woken, waking
        self.is_gone = False

    def wake(self) -> None:
        """Have `wait` return; from any thread."""
        with suppress(OSError):  # enough wakings wait already, or nobody does any more
            os.write(self._waking, b"\0")

    def wait(self, seconds: float) -> list[str]:
        """Return the keys that were pressed, after so many seconds at most, or when woken."""
        ready, _, _ = select.select([self._terminal, self._woken], [], [], seconds)
        if self._woken in ready:
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
        return list(self._keys()) if self._terminal in ready else []

    def _keys(self) -> Iterator[str]:
        data = self._read()
        if data.endswith(b"\x1b") and select.select([self._terminal], [], [], _ESCAPE_SECONDS)[0]:
            data += self._read()
        while data:
            found = _next(data)
            if key := _SEQUENCES.get(
                found, "" if len(found) > 1 else found.decode("ascii", "ignore")
            ):
                yield key
            data = data[len(found) :]

    def _read(self) -> bytes:
        try:
            data = os.read(self._terminal, _LONGEST)
        except OSError:
            data = b""
        self.is_gone = self.is_gone or not data
        return data


@contextmanager
def keyboard(terminal: int) -> Iterator[Keyboard]:
    """Have a terminal give its keys at once, without showing them, for the time of the block.

    A change of its size wakes who waits, and so does what would end the process, which raises
    KeyboardInterrupt there.
    """
    before = termios.tcgetattr(terminal)
    woken, waking = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waking, False)
    try:
        with _signals(waking):
            tty.setcbreak(terminal)
            yield Keyboard(terminal, woken, waking)
    finally:
        with suppress(termios.error):  # it is gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        os.close(woken)
        os.close(waking)


@contextmanager
def _signals(waking: int) -> Iterator[None]:
    """Take the signals that are about a terminal; Ctrl-Z would leave it as it is, and does not."""
    handlers: dict[int, Any] = {
        signal.SIGWINCH: lambda *_: None,
        signal.SIGTERM: _end,
        signal.SIGHUP: _end,
        signal.SIGTSTP: signal.SIG_IGN,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    waker = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(waker)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt

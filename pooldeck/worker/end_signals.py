"""What a worker does with the signals that ask it to end: it tells its supervisor.

    kill, systemd ── SIGTERM ──▶ this process ── the signal's number ──▶ second pipe ──▶ supervisor

The supervisor knows whether the server was told to end as well: then this worker ends when its time
comes, and else at once. Python itself writes the number, in its handler of the signal: no thread
needs to run for that, and so it works while C code holds the GIL.

The signals are neither ignored nor blocked, which programs that tasks start would inherit. Forked
children get back what was there before.
"""

import _signal  # type: ignore[import-not-found]  # after each call, and `signal` is slower
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from threading import local
from types import FrameType
from typing import Any, Final

from pooldeck.end_signals import END_SIGNALS, admit

_Handler = Callable[[int, FrameType | None], Any] | int | None


class EndSignals:
    """Takes these signals from now on; to be made, as all of it is used, in the main thread."""

    def __init__(self, pipe: socket) -> None:
        self._descriptor: Final = pipe.fileno()
        self._handler: Final = self._tell  # always the same object
        self._before: Final[dict[int, _Handler]] = _handlers()
        self._forking: Final = local()
        pipe.setblocking(False)  # as a signal's handler must not wait
        self.take()
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._after_fork,
            after_in_child=self._leave_to_child,
        )
        admit()

    def take(self) -> None:
        """Take the signals, also back from a task that has taken them for itself."""
        _signal.set_wakeup_fd(self._descriptor, warn_on_full_buffer=False)
        for number in self._before:
            if _signal.getsignal(number) is not self._handler:
                signal.signal(number, self._handler)
                signal.siginterrupt(number, False)  # what C code waits for goes on

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        """Tell once more: an event loop of the task's may have taken what Python writes to."""
        with suppress(OSError):
            os.write(self._descriptor, bytes([number]))

    def _before_fork(self) -> None:
        """Withhold the signals: what is meant for the child must not be told of this process."""
        self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)

    def _after_fork(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _leave_to_child(self) -> None:
        """Let a forked child be ended by the signals, as `multiprocessing` does it."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            if signal.getsignal(number) is self._handler:
                signal.signal(number, handler)
        self._after_fork()


def _handlers() -> dict[int, _Handler]:
    """Return the handlers of the signals to take; under `nohup`, SIGHUP stays ignored."""
    handlers: dict[int, _Handler] = {number: signal.getsignal(number) for number in END_SIGNALS}
    if handlers[signal.SIGHUP] is signal.SIG_IGN:
        del handlers[signal.SIGHUP]
    return handlers

"""The end of the server: what signals do, how long what runs may go on, when nothing runs more.

The HTTP server hands each signal that asks to end to `on_signal`; whoever ends the pools waits for
the moments and sets `finished`, and requests are answered until then.
"""

import asyncio
import signal
from typing import Final

from pooldeck_server.domain.pools.controls import CutOff

_SAME_REQUEST: Final = 0.25  # seconds


class Ending:
    """The end of the server: from the first sign of it, what runs may go on for `grace` seconds."""

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self._asked_at: float | None = None  # by a signal of which a second one hurries
        self.cut_off: CutOff | None = None  # what it cost, once the pools have ended
        self.begun = asyncio.Event()  # the server was told to end
        self.grace_over = asyncio.Event()  # what runs is waited for no more
        self.hurried = asyncio.Event()  # somebody does not want to wait
        self.finished = asyncio.Event()  # nothing runs any more

    def on_signal(self, number: int) -> None:
        """Take SIGTERM, SIGINT or SIGHUP: the first begins a good end, a further one hurries it.

        What comes within a moment of it is the same request: to the whole group, and to the server
        by whoever started it. SIGHUP hurries nothing: of a terminal that is closed, both the shell
        and the kernel tell, and a service manager may end what is left in it.
        """
        now = asyncio.get_running_loop().time()
        self.begin()
        if number == signal.SIGHUP:
            return
        if self._asked_at is None:
            self._asked_at = now
        elif now - self._asked_at >= _SAME_REQUEST:
            self.hurry()

    def begin(self, grace: float | None = None) -> None:
        """Begin to end; from the first time on the grace period runs.

        That is `grace` seconds, the usual ones if None.
        """
        if self.begun.is_set():
            return
        if grace is not None:
            self.grace = grace
        loop = asyncio.get_running_loop()
        self.begun.set()
        self._grace_ends_at = loop.time() + self.grace
        loop.call_later(self.grace, self.grace_over.set)

    @property
    def seconds_left(self) -> float:
        """Return for how long what runs may go on; to be asked once the end has begun."""
        return max(0.0, self._grace_ends_at - asyncio.get_running_loop().time())

    def hurry(self) -> None:
        self.begin()
        self.hurried.set()
        self.grace_over.set()

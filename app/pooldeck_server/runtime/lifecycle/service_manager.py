"""What a service manager is told: that the server is ready, alive, or about to end, and how it is.

This is systemd's protocol for `Type=notify`: lines of text in a datagram to a Unix socket. Where
none is named by the environment, nothing is sent.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import asyncio
import logging
import os
import socket as sockets
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.lifecycle.ending import Ending

_log = logging.getLogger(__name__)
_MICROSECONDS: Final = 1_000_000
_BEAT_SECONDS: Final = 5.0  # between two words, where no watchdog asks for more
_BEATS: Final = 4  # in the time of the watchdog
_EXTENSION_SECONDS: Final = 60  # what a start or an end asks for, from each word on
_LONGEST_SECONDS: Final = 3600.0  # for how long it does so: what hangs is not to hang forever
_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


@dataclass(frozen=True)
class NotifySocket:
    """Where words go; `watchdog_seconds` is within what time one is awaited, None for never."""

    address: str
    watchdog_seconds: float | None = None

    def send(self, *lines: str) -> bool:
        """Send lines without waiting; return whether they were taken."""
        if not lines:
            return True
        path = self.address
        target = "\0" + path[1:] if path.startswith("@") else path
        flags = sockets.SOCK_DGRAM | getattr(sockets, "SOCK_CLOEXEC", 0)
        try:
            with sockets.socket(sockets.AF_UNIX, flags) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), target)
        except OSError as error:
            _log.debug("the service manager at %s was not told: %s", path, error)
            return False
        return True


def notify_socket(environment: MutableMapping[str, str] = os.environ) -> NotifySocket | None:
    """Return the socket that `environment` names, None if there is none.

    The variables are taken out of it: they are not for the workers.
    """
    address, limit, pid = (environment.pop(name, "") for name in _VARIABLES)
    if not address.startswith(("/", "@")):
        return None
    is_ours = limit.isdecimal() and int(limit) > 0 and pid in {"", str(os.getpid())}
    return NotifySocket(address, int(limit) / _MICROSECONDS if is_ours else None)


@dataclass(kw_only=True, eq=False)
class ServiceManager(BackgroundPart):
    """Tells the service manager of the server, a few times in the time of its watchdog.

    The sign of life comes from the event loop, and only while the writer thread is there. A commit
    that waits for a slow disk does not hold it up, since that thread is another.
    """

    doing = "telling the service manager"

    socket: NotifySocket | None
    ending: Ending
    is_alive: Callable[[], bool] = lambda: False  # tells whether the writer thread runs
    status: Callable[[], str] = lambda: "starting"  # says how the server is, in a line
    is_ready: asyncio.Event = field(init=False, default_factory=asyncio.Event)  # it answers
    _said: str = field(init=False, default="")

    @property
    def beat_seconds(self) -> float:
        limit = self.socket.watchdog_seconds if self.socket else None
        return _BEAT_SECONDS if limit is None else min(_BEAT_SECONDS, limit / _BEATS)

    async def _run(self) -> None:
        if self.socket is None:
            return
        await self._start(self.socket)
        while not self.ending.begun.is_set():
            self.socket.send(*self._signs(is_ending=False))
            await self._pause(self.ending.begun)
        began, is_told = self._now(), False
        while True:
            is_told = is_told or self.socket.send("STOPPING=1")
            if self._now() - began < _LONGEST_SECONDS:
                self.socket.send(_extension())
            self.socket.send(*self._signs(is_ending=True))
            await asyncio.sleep(self.beat_seconds)

    async def _start(self, socket: NotifySocket) -> None:
        """Ask for time until the server answers, or is told to end; say then that it is ready."""
        began = self._now()
        while not (self.is_ready.is_set() or self.ending.begun.is_set()):
            if self._now() - began < _LONGEST_SECONDS:
                socket.send("STATUS=starting", _extension())
            await self._pause(self.is_ready)
        while self.is_ready.is_set() and not socket.send("READY=1"):
            await self._pause(self.ending.begun)

    def _signs(self, *, is_ending: bool) -> list[str]:
        """Return what is to be said now: the sign of life, and what has changed."""
        lines = []
        if is_ending or self.is_alive():
            lines.append("WATCHDOG=1")
        if (words := self.status()) != self._said:
            self._said = words
            lines.append(f"STATUS={words}")
        return lines

    async def _pause(self, event: asyncio.Event) -> None:
        """Wait for an event, as long as a beat takes."""
        waiting = asyncio.ensure_future(event.wait())
        await asyncio.wait([waiting], timeout=self.beat_seconds)
        waiting.cancel()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _extension() -> str:
    return f"EXTEND_TIMEOUT_USEC={_EXTENSION_SECONDS * _MICROSECONDS}"

"""A process beside the server: started, watched, replaced when it dies, and let go.

It runs in a session of its own, with one end of a socket pair. When the server's end closes, the
server is gone, and the companion ends; when the companion's end closes, it is gone, and the server
starts another.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from pooldeck import marks

_log = logging.getLogger(__name__)
_START: Final = 30.0  # seconds until a companion must have said that it is ready
_LEAVE: Final = 15.0  # seconds for what it does at last
_PAUSE: Final = 1.0  # seconds before the next one is started, where one did not last


class Companion(ABC):
    """A process that is there for as long as this one is.

    Args:
        on_death: Called when it has died, before another is started.

    Attributes:
        name: What it is called in the log.
    """

    name: ClassVar[str]

    def __init__(self, on_death: Callable[[], None] | None = None) -> None:
        self._on_death = on_death
        self._leaving = asyncio.Event()

    @property
    def pid(self) -> int:
        """Return the process id of the present one."""
        return self._process.pid

    async def start(self) -> None:
        """Start the process; when this returns, it is ready.

        Raises:
            OSError: If it cannot be started.
        """
        await self._begin()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Let the process go; when this returns, it has ended."""
        self._leaving.set()
        with suppress(OSError):  # it has died just now
            self._line.shutdown(socket.SHUT_RDWR)
        await self._watching

    @abstractmethod
    def command(self, descriptor: int) -> list[str]:
        """Return the command that starts the process.

        Args:
            descriptor: The number of its end of the socket pair, which it inherits. It says
                `marks.READY` there when it is ready.
        """

    def environment(self) -> dict[str, str]:
        """Return the environment of the process: this one's without the marks that it carries."""
        own = {marks.BOOT, marks.WORKER}
        return {name: value for name, value in os.environ.items() if name not in own}

    def greeting(self) -> bytes:
        """Return what the process is told first."""
        return b""

    async def _begin(self) -> None:
        self._process, self._line = await asyncio.to_thread(self._started)
        self._since = asyncio.get_running_loop().time()

    async def _watch(self) -> None:
        """Replace each process that dies, until it is time to leave."""
        await self._end()
        while not self._leaving.is_set():
            _log.warning("the %s (process %d) died; another takes its place", self.name, self.pid)
            if self._on_death is not None:
                self._on_death()
            await self._replace()
            await self._end()

    async def _end(self) -> None:
        """Return when the process has ended; let it go first if it is time to leave."""
        loop = asyncio.get_running_loop()
        with self._line, suppress(OSError):
            if not self._leaving.is_set():
                await loop.sock_recv(self._line, 1)
        await asyncio.to_thread(self._reap)

    async def _replace(self) -> None:
        if asyncio.get_running_loop().time() - self._since < _PAUSE:
            await self._pause()
        while not self._leaving.is_set():
            try:
                await self._begin()
            except OSError as error:
                _log.warning("no %s could be started, trying again: %s", self.name, error)
                await self._pause()
            else:
                return

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), _PAUSE)

    def _started(self) -> tuple["subprocess.Popen[bytes]", socket.socket]:
        """Start the process, wait until it is ready, and return it with the line to it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = self._spawned(theirs.fileno())
            self._wait_until_ready(process, ours)
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)
        return process, ours

    def _spawned(self, descriptor: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - the interpreter and our own module
            [sys.executable, *self.command(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(descriptor,),
            start_new_session=True,
            env=self.environment(),
        )

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", line: socket.socket) -> None:
        line.settimeout(_START)
        with suppress(OSError):  # late, or gone: both are told below
            line.sendall(self.greeting())
            if line.recv(1) == marks.READY:
                return
        process.kill()
        raise ChildProcessError(
            f"The {self.name} did not start (exit code {process.wait()}). Its standard error, "
            "which is the server's, says why."
        )

    def _reap(self) -> None:
        """Wait for the end of a process that has nothing to wait for any more."""
        try:
            self._process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            _log.warning(
                "the %s (process %d) does not end and is killed", self.name, self._process.pid
            )
            self._process.kill()
            self._process.wait()

"""Companion processes beside the server: started, watched, replaced, and ended with it.

It runs in a session of its own, with one end of a socket pair. When the server's end closes, the
server is gone, and the companion ends; when the companion's end closes, it is gone, and the server
starts another. It answers each byte that the server sends: one that has been stopped does not, and
is let go on; one that hangs is replaced.
"""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from pooldeck import marks
from pooldeck.end_signals import withheld
from pooldeck.inherited import inherited

_log = logging.getLogger(__name__)
_START: Final = 30.0  # seconds until a companion must have said that it is ready
_LEAVE: Final = 15.0  # seconds for its last work
_PULSE: Final = 2.0  # seconds between two questions whether it is there
_SILENCE: Final = 7  # questions in a row without an answer: it hangs
_PAUSE: Final = 1.0  # seconds before the next one is started, where one did not last


class Companion(ABC):
    """A process that lives as long as this one; `on_death` is called before it is replaced."""

    name: ClassVar[str]  # in the log
    longest_pause: ClassVar[float] = _PAUSE  # seconds; up to it, each pause is twice the last one

    def __init__(self, on_death: Callable[[], None] | None = None) -> None:
        self._on_death = on_death
        self._stopping = asyncio.Event()
        self._next_pause = _PAUSE

    @property
    def pid(self) -> int:
        """Return the process id of the present one."""
        return self._process.pid

    async def start(self) -> None:
        """Start the process; when this returns, it is ready.

        Raises:
            OSError: If it cannot be started.
        """
        await self._spawn()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the process; when this returns, it has ended."""
        self._stopping.set()
        with suppress(OSError):  # it has died just now
            self._pipe.shutdown(socket.SHUT_RDWR)
        await self._watching

    @abstractmethod
    def command(self, descriptor: int) -> list[str]:
        """Return the command that starts the process, which sends `marks.READY` to the descriptor.

        That is its end of the socket pair, which it inherits.
        """

    def environment(self) -> dict[str, str]:
        """Return the environment of the process: this one's without its secrets and marks."""
        own = {marks.BOOT, marks.WORKER}
        return {name: value for name, value in inherited(os.environ).items() if name not in own}

    def greeting(self) -> bytes:
        """Return the first bytes that the process gets."""
        return b""

    def question(self) -> bytes:
        """Return what the process is asked whether it is there; any bytes answer that."""
        return marks.QUESTION

    def heard(self, data: bytes) -> None:  # noqa: B027 - most processes say nothing more
        """Take bytes that the process sent."""

    def _tell(self, data: bytes) -> bool:
        """Send a few bytes; return whether the process, which may be stopped, will get them."""
        try:
            return self._pipe.send(data) == len(data)
        except OSError:  # it is gone, or has been stopped for long
            return False

    def kill(self) -> None:
        """Kill the process; another takes its place."""
        self._process.kill()

    async def _spawn(self) -> None:
        self._process, self._pipe = await asyncio.to_thread(self._spawn_ready)
        self._since = asyncio.get_running_loop().time()

    async def _watch(self) -> None:
        """Replace each process that dies, until this one stops."""
        await self._wait_for_end()
        while not self._stopping.is_set():
            _log.warning("the %s (process %d) died; another takes its place", self.name, self.pid)
            if self._on_death is not None:
                self._on_death()
            await self._replace()
            await self._wait_for_end()

    async def _wait_for_end(self) -> None:
        """Return when the process has ended; close its pipe first if this one stops."""
        with self._pipe, suppress(OSError):
            if not self._stopping.is_set():
                await self._listen()
        await asyncio.to_thread(self._reap)

    async def _listen(self) -> None:
        """Return when the process has closed its end of the pipe; end it if it answers no more."""
        loop = asyncio.get_running_loop()
        unanswered = 0
        while unanswered < _SILENCE:
            try:
                answer = await asyncio.wait_for(loop.sock_recv(self._pipe, 4096), _PULSE)
            except TimeoutError:
                if unanswered:
                    self._process.send_signal(signal.SIGCONT)
                await loop.sock_sendall(self._pipe, self.question())
                unanswered += 1
            else:
                if not answer:
                    return
                unanswered = 0
                self.heard(answer)
        _log.warning("the %s (process %d) does not answer and is killed", self.name, self.pid)
        self._process.kill()

    async def _replace(self) -> None:
        if asyncio.get_running_loop().time() - self._since < self.longest_pause:
            await self._pause()
        else:
            self._next_pause = _PAUSE
        while not self._stopping.is_set():
            try:
                await self._spawn()
            except OSError as error:
                _log.warning("no %s could be started, trying again: %s", self.name, error)
                await self._pause()
            else:
                return

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._next_pause)
        self._next_pause = min(self.longest_pause, 2 * self._next_pause)

    def _spawn_ready(self) -> tuple["subprocess.Popen[bytes]", socket.socket]:
        """Start the process, wait until it is ready, and return it with the pipe to it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = self._popen(theirs.fileno())
            self._wait_until_ready(process, ours)
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)
        return process, ours

    def _popen(self, descriptor: int) -> "subprocess.Popen[bytes]":
        with withheld():
            return subprocess.Popen(  # noqa: S603 - the interpreter and our own module
                [sys.executable, *self.command(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(descriptor,),
                start_new_session=True,
                env=self.environment(),
            )

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", pipe: socket.socket) -> None:
        pipe.settimeout(_START)
        with suppress(OSError):  # late, or gone: reported below
            pipe.sendall(self.greeting())
            if pipe.recv(1) == marks.READY:
                return
        process.kill()
        raise ChildProcessError(
            f"The {self.name} did not start (exit code {process.wait()}). Its standard error, "
            "which is the server's, says why."
        )

    def _reap(self) -> None:
        """Wait for the end of a process whose pipe is closed; kill it if it takes too long."""
        self._process.send_signal(signal.SIGCONT)  # if it is stopped, it cannot see that
        try:
            self._process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            _log.warning("the %s (process %d) does not end and is killed", self.name, self.pid)
            self._process.kill()
            self._process.wait()

"""The keeper from the server's side: started, watched, replaced when it dies, and let go.

The keeper is `pooldeck.marks` run as a program, in a session of its own, with one end of a socket
pair. When the server's end closes, the server is gone, and the keeper ends what it left behind;
when the keeper's end closes, the keeper is gone, and the server starts another.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Final

from pooldeck import marks

_log = logging.getLogger(__name__)
_START: Final = 30.0  # seconds until a keeper must have said that it watches
_LEAVE: Final = 15.0  # seconds for its last sweep
_PAUSE: Final = 1.0  # seconds before the next one is started, where one did not last


class Keeper:
    """A process that ends whatever carries a boot's mark as soon as this process is gone.

    Args:
        boot: The mark of this run of the server.
    """

    def __init__(self, boot: str) -> None:
        self._boot = boot
        self._leaving = asyncio.Event()

    @property
    def pid(self) -> int:
        """Return the process id of the present keeper."""
        return self._process.pid

    async def start(self) -> None:
        """Start the keeper; when this returns, it watches.

        Raises:
            OSError: If it cannot be started.
        """
        await self._begin()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Let the keeper go: it sweeps a last time; when this returns, it has ended."""
        self._leaving.set()
        with suppress(OSError):  # it has died just now
            self._line.shutdown(socket.SHUT_RDWR)
        await self._watching

    async def _begin(self) -> None:
        self._process, self._line = await asyncio.to_thread(_started, self._boot)
        self._since = asyncio.get_running_loop().time()

    async def _watch(self) -> None:
        """Replace each keeper that dies, until it is time to leave."""
        await self._end()
        while not self._leaving.is_set():
            _log.warning("the keeper (process %d) died; another takes its place", self.pid)
            await self._replace()
            await self._end()

    async def _end(self) -> None:
        """Return when the keeper has ended; let it go first if it is time to leave."""
        loop = asyncio.get_running_loop()
        with self._line, suppress(OSError):
            if not self._leaving.is_set():
                await loop.sock_recv(self._line, 1)
        await asyncio.to_thread(_reap, self._process)

    async def _replace(self) -> None:
        if asyncio.get_running_loop().time() - self._since < _PAUSE:
            await self._pause()
        while not self._leaving.is_set():
            try:
                await self._begin()
            except OSError as error:
                _log.warning("no keeper could be started, trying again: %s", error)
                await self._pause()
            else:
                return

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), _PAUSE)


def _started(boot: str) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """Start a keeper, wait until it watches, and return it with the line to it."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = _spawn(boot, theirs.fileno())
        _wait_until_ready(process, ours)
    except OSError:
        ours.close()
        raise
    ours.setblocking(False)
    return process, ours


def _spawn(boot: str, descriptor: int) -> "subprocess.Popen[bytes]":
    """Start the program; whatever marks this process carries are not the keeper's."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {marks.BOOT, marks.WORKER}
    }
    return subprocess.Popen(  # noqa: S603 - the interpreter and our own module
        [sys.executable, *_flags(), marks.__file__, str(descriptor), boot],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        start_new_session=True,
        env=environment,
    )


def _flags() -> list[str]:
    """Return what keeps the keeper small, and user code out of it.

    Without `site` neither a `sitecustomize` nor the packages' own start-up code is run. Only
    psutil makes it necessary; it may be in the user's site-packages, as Pooldeck itself.
    """
    if marks.HAS_PIDFD:
        return ["-P", "-E", "-S"]
    return ["-P", "-E", "-s"] if sys.flags.no_user_site else ["-P", "-E"]


def _wait_until_ready(process: "subprocess.Popen[bytes]", line: socket.socket) -> None:
    line.settimeout(_START)
    with suppress(OSError):  # late, or gone: both are told below
        if line.recv(1) == marks.READY:
            return
    process.kill()
    raise ChildProcessError(
        f"The keeper did not start (exit code {process.wait()}). Its standard error, which is the "
        "server's, says why."
    )


def _reap(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the end of a keeper that has nothing to wait for any more."""
    try:
        process.wait(_LEAVE)
    except subprocess.TimeoutExpired:
        _log.warning("the keeper (process %d) does not end and is killed", process.pid)
        process.kill()
        process.wait()

"""One worker from outside: start it, exchange frames with it, notice its death, end it.

A `WorkerProcess` is a plain child process, `python -m pooldeck.worker`, in a session of its own,
with one end of a socketpair. It lives on the event loop that started it: frames come in through
`receive`, its end through `ended`, exactly once and after the last frame.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct

from pooldeck.protocol import (
    FrameBuffer,
    FromSupervisor,
    FromWorker,
    ProtocolError,
    Setup,
    frame,
    from_worker,
)

_READ_BYTES: Final = 256 * 1024
_SECRETS: Final = frozenset({"POOLDECK_TOKEN"})


class WorkerExit(Struct, frozen=True):
    """How a worker process ended. `peak_rss_bytes` is the kernel's figure, from `wait4`."""

    code: int | None  # None: killed by `signal`
    signal: int | None
    peak_rss_bytes: int

    @property
    def cause(self) -> str:
        """Return the cause in words, such as "was killed by SIGSEGV"."""
        if self.signal is None:
            return f"exited with code {self.code}"
        try:
            return f"was killed by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"was killed by signal {self.signal}"


class WorkerProcess(asyncio.Protocol):
    """A worker process and the pipe to it.

    Args:
        setup: The first frame, which tells the worker what it is.
        boot: The mark of this server's run; every process under it carries it.
        receive: Called with each frame that the worker sends.
        ended: Called once, after the last frame, with how the process ended.
    """

    def __init__(
        self,
        setup: Setup,
        boot: str,
        receive: Callable[[FromWorker], None],
        ended: Callable[[WorkerExit], None],
    ) -> None:
        self.setup = setup
        self.pid: int | None = None
        self._boot = boot
        self._receive = receive
        self._ended = ended
        self._frames = FrameBuffer()
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Start the process and send it its setup.

        Raises:
            OSError: If the process cannot be started.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = await asyncio.to_thread(self._spawn, theirs)
            self._rest = ours.dup()  # to read what is left when the process has died
            self._rest.setblocking(False)
            self.pid = self._process.pid
            self._transport, _ = await self._loop.create_unix_connection(
                lambda: self, sock=ours.dup()
            )
        self._watch(self.pid)
        self.send(self.setup)

    def _spawn(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        number = theirs.fileno()
        return subprocess.Popen(  # noqa: S603 - the interpreter and our own module
            [sys.executable, "-P", "-m", "pooldeck.worker", str(number)],
            stdin=subprocess.DEVNULL,
            pass_fds=(number,),
            start_new_session=True,
            env=worker_environment(os.environ, self._boot, self.setup.worker),
        )

    def send(self, message: FromSupervisor) -> None:
        """Send a frame; what the pipe does not take at once follows when it can.

        A worker that is gone takes nothing and raises nothing: its end is about to be reported.
        """
        if not self._transport.is_closing():
            self._transport.write(frame(message))

    def data_received(self, data: bytes) -> None:
        """Pass on the frames that are complete; a worker that sends anything else is ended."""
        try:
            for body in self._frames.feed(data):
                self._receive(from_worker(body))
        except ProtocolError:
            self._transport.abort()
            self.kill()

    def kill(self) -> None:
        """End the worker's whole process group now."""
        if self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _watch(self, pid: int) -> None:
        """Notice the death by pidfd: end-of-file never comes while a grandchild holds the pipe."""
        if hasattr(os, "pidfd_open"):
            pidfd = os.pidfd_open(pid)
            self._loop.add_reader(pidfd, self._died, pidfd)
        else:
            threading.Thread(target=self._wait_for_exit, args=(pid,), daemon=True).start()

    def _died(self, pidfd: int) -> None:
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        self._reap()

    def _wait_for_exit(self, pid: int) -> None:
        with suppress(OSError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._reap)

    def _reap(self) -> None:
        """Take the last frames and the exit status; end what the worker left in its group.

        The group is ended before the status is taken: until then the process id cannot be
        given to anybody else.
        """
        self.kill()
        self._transport.abort()
        self._read_rest()
        _, status, usage = os.wait4(self._process.pid, 0)
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self._ended(
            WorkerExit(
                code=code if code >= 0 else None,
                signal=-code if code < 0 else None,
                peak_rss_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            )
        )

    def _read_rest(self) -> None:
        with self._rest, suppress(OSError):  # nothing more, or the other end is gone
            while data := self._rest.recv(_READ_BYTES):
                self.data_received(data)


def worker_environment(environment: Mapping[str, str], boot: str, worker: str) -> dict[str, str]:
    """Return the environment of a worker: the server's without its secrets, with both marks."""
    kept = {name: value for name, value in environment.items() if name not in _SECRETS}
    return kept | {"POOLDECK_BOOT": boot, "POOLDECK_WORKER": worker}

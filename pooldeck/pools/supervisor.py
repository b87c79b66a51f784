"""One worker from outside: start it, exchange frames with it, notice its death, end it.

A `WorkerProcess` is a child process in a session of its own with one end of two socketpairs: the
main pipe, and a second one for what must not wait until the worker has time. It lives on the event
loop that started it: frames come in through `receive`, its end through `ended`, exactly once and
after the last frame.
"""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

from pooldeck.marks import open_pidfd
from pooldeck.marks_elsewhere import wait_for_end
from pooldeck.pools.launcher import Launched, Launcher, WorkerExit
from pooldeck.protocol import (
    Control,
    FrameBuffer,
    FromSupervisor,
    FromWorker,
    ProtocolError,
    Setup,
    frame,
    from_worker,
)

_READ_BYTES: Final = 256 * 1024


@dataclass(eq=False)
class WorkerProcess(asyncio.Protocol):
    """A worker process and the pipes to it."""

    setup: Setup  # the first frame, which tells the worker what it is
    boot: str  # the mark of this server's run; every process under it carries it
    launcher: Launcher
    receive: Callable[[FromWorker], None]  # called with each frame that the worker sends
    ended: Callable[[WorkerExit], None]  # called once, after the last frame
    pid: int | None = field(default=None, init=False)
    _frames: FrameBuffer = field(default_factory=FrameBuffer, init=False)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop, init=False)
    _is_gone: bool = field(default=False, init=False)

    async def start(self) -> None:
        """Start the process and send it its setup.

        Raises:
            OSError: If the process cannot be started.
        """
        with ExitStack() as opened:
            main, theirs = _pair(opened)
            control, their_control = _pair(opened)
            self._rest = opened.enter_context(main.dup())  # for what a dead process has left
            self._launched: Launched = await asyncio.to_thread(
                self.launcher.launch, self.setup, self.boot, theirs, their_control
            )
            opened.pop_all()
        theirs.close()
        their_control.close()
        self.pid = self._launched.pid
        self._rest.setblocking(False)
        self._transport = await self._connect(main, self)
        self._control = await self._connect(control, asyncio.Protocol())
        self._watch(self.pid)
        self.send(self.setup)

    async def _connect(
        self, end: socket.socket, protocol: asyncio.BaseProtocol
    ) -> asyncio.WriteTransport:
        transport, _ = await self._loop.create_unix_connection(lambda: protocol, sock=end)
        return transport

    def send(self, message: FromSupervisor) -> None:
        """Send a frame; what the pipe does not take at once follows when it can.

        A worker that is gone takes nothing and raises nothing: its end is about to be reported.
        """
        if not self._transport.is_closing():
            self._transport.write(frame(message))

    def tell(self, message: Control) -> None:
        """Send a frame on the second pipe, past what waits in the first; else as `send`."""
        if not self._control.is_closing():
            self._control.write(frame(message))

    def data_received(self, data: bytes) -> None:
        """Pass on the frames that are complete; a worker that sends anything else is ended."""
        try:
            for body in self._frames.feed(data):
                self.receive(from_worker(body))
        except ProtocolError:
            self._transport.abort()
            self.kill()

    def kill(self) -> None:
        """End the worker and its whole process group now."""
        self.signal(signal.SIGKILL)
        if self.pid is not None and not self._is_gone:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send the worker a signal; nothing happens if it is gone."""
        if self.pid is not None and not self._is_gone:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def _watch(self, pid: int) -> None:
        """Notice the death by pidfd: end-of-file never comes while a grandchild holds the pipe."""
        pidfd = open_pidfd(pid)
        if pidfd is not None:
            self._loop.add_reader(pidfd, self._died, pidfd)
        else:
            threading.Thread(target=self._wait_for_exit, args=(pid,), daemon=True).start()

    def _died(self, pidfd: int) -> None:
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        self._reap()

    def _wait_for_exit(self, pid: int) -> None:
        wait_for_end(pid)
        with suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._reap)

    def _reap(self) -> None:
        """Take the last frames and the exit status; end what the worker left in its group.

        The group is ended before the status is taken: until then the process id cannot be
        given to anybody else.
        """
        self.kill()
        self._is_gone = True
        self._transport.abort()
        self._control.abort()
        self._read_rest()
        self.ended(self._launched.reap())

    def _read_rest(self) -> None:
        with self._rest, suppress(OSError):  # nothing more, or the other end is gone
            while data := self._rest.recv(_READ_BYTES):
                self.data_received(data)


def _pair(opened: ExitStack) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return opened.enter_context(ours), opened.enter_context(theirs)

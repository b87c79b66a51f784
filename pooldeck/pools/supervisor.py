"""One worker from outside: start it, exchange frames with it, notice its death, end it.

A `WorkerProcess` is a child process in a session of its own with one end of two socketpairs: the
main pipe, and a second one for what must not wait until the worker has time, on which it tells of
signals. It lives on the event loop that started it: frames come in through `receive`, its end
through `ended`, exactly once and after the last frame.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from pooldeck.end_signals import END_SIGNALS
from pooldeck.marks import open_pidfd
from pooldeck.marks_elsewhere import wait_for_end
from pooldeck.pools import process_signs
from pooldeck.pools.launcher import Launched, Launcher, WorkerExit
from pooldeck.pools.outside_signals import SignalPipe, are_for_all
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

_log = logging.getLogger(__name__)

_READ_BYTES: Final = 256 * 1024
_FORGED: Final = "sent what no worker sends"
_LEFT: Final = "left its pipe to the server"
_DEATH_SECONDS: Final = 5.0  # from the end of the pipe to that of the process
_MOST_READS: Final = 32  # of what a dead worker has left: its children may still write


@dataclass(eq=False)
class WorkerProcess(asyncio.Protocol):
    """A worker process and the pipes to it."""

    setup: Setup  # the first frame, which tells the worker what it is
    boot: str  # the mark of this server's run; every process under it carries it
    launcher: Launcher
    is_ending: Callable[[], bool] | None  # tells whether the server was told to end, if it may be
    receive: Callable[[FromWorker], None]  # called with each frame that the worker sends
    ended: Callable[[WorkerExit], None]  # called once, after the last frame
    pid: int | None = field(default=None, init=False)
    _frames: FrameBuffer = field(default_factory=FrameBuffer, init=False)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop, init=False)
    _is_gone: bool = field(default=False, init=False)
    _control: asyncio.WriteTransport | None = field(default=None, init=False)
    _signals: set[int] = field(default_factory=set, init=False)  # from outside, not judged yet
    _held: list[FromWorker] = field(default_factory=list, init=False)  # said since they came
    _obeyed: int | None = field(default=None, init=False)  # the signal that it is ended by
    _misdeed: str | None = field(default=None, init=False)  # what it is ended for
    _unsent: list[bytes] = field(default_factory=list, init=False)  # frames of this turn

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
        self._control = await self._connect(control, SignalPipe(self._signalled))
        self._watch(self.pid)
        self.send(self.setup)

    async def _connect(
        self, end: socket.socket, protocol: asyncio.BaseProtocol
    ) -> asyncio.WriteTransport:
        transport, _ = await self._loop.create_unix_connection(lambda: protocol, sock=end)
        return transport

    def send(self, message: FromSupervisor) -> None:
        """Send a frame with what else this turn of the event loop brings, as one write.

        What the pipe does not take at once follows when it can. A worker that is gone takes nothing
        and raises nothing: its end is about to be reported.
        """
        if not self._unsent:
            self._loop.call_soon(self._send_gathered)
        self._unsent.append(frame(message))

    def _send_gathered(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not self._transport.is_closing():
            self._transport.write(b"".join(unsent))

    def tell(self, message: Control) -> None:
        """Send a frame on the second pipe, past what waits in the first; else as `send`.

        One that is about to be started takes nothing either.
        """
        if self._control is not None and not self._control.is_closing():
            self._control.write(frame(message))

    def data_received(self, data: bytes) -> None:
        """Pass on the frames that are complete; a worker that sends anything else is ended."""
        if self._misdeed is not None:
            return
        try:
            for body in self._frames.feed(data):
                message = from_worker(body)
                if self._signals:
                    self._held.append(message)
                else:
                    self._pass_on(message)
        except ProtocolError as error:
            self.condemn(_FORGED, str(error))

    def _pass_on(self, message: FromWorker) -> None:
        try:
            self.receive(message)
        except Exception:  # noqa: BLE001 - whatever it says, the server goes on without it
            _log.exception(
                "a frame of worker %s cannot be taken", self.setup.worker, extra=self.log_extra
            )
            self.condemn(_FORGED, type(message).__name__)

    def eof_received(self) -> None:
        """Wait for the death of a worker that has closed its pipe; if it lives on, it is none."""
        self._loop.call_later(_DEATH_SECONDS, self._outlive_pipe)

    def _outlive_pipe(self) -> None:
        self.condemn(_LEFT, process_signs.program_name(self.pid or 0))

    @property
    def log_extra(self) -> Mapping[str, object]:
        """Return the `extra` of a logging call that is about it: for logs that programs read."""
        return {"about": {"pool": self.setup.pool, "worker": self.setup.worker, "pid": self.pid}}

    def condemn(self, misdeed: str, detail: str) -> None:
        """End a worker that cannot go on, and say of its end what it did.

        Args:
            misdeed: What it did, in words that are the same for all who do it.
            detail: More about it, for the log.
        """
        if self._misdeed is None and not self._is_gone:
            _log.warning(
                "worker %s (pid %s) is ended: it %s (%s)",
                self.setup.worker,
                self.pid,
                misdeed,
                detail,
                extra=self.log_extra,
            )
            self._misdeed = misdeed
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
        if self._control is not None:
            self._control.abort()
        self._read_rest()
        self._account_for(self._launched.reap())

    def _read_rest(self) -> None:
        with self._rest, suppress(OSError):  # nothing more, or the other end is gone
            for _ in range(_MOST_READS):
                if not (data := self._rest.recv(_READ_BYTES)):
                    return
                self.data_received(data)

    # Signals that somebody else sends.

    def _signalled(self, number: int) -> None:
        """Take a signal that reached the worker, and what it says next, once it is judged."""
        if self.is_ending is None:
            self._obey([number])
        elif not self.is_ending():
            if not self._signals:
                self._judging = self._loop.create_task(self._judge(self.is_ending))
            self._signals.add(number)

    async def _judge(self, is_ending: Callable[[], bool]) -> None:
        is_for_all = await are_for_all(is_ending)
        signals, self._signals = self._signals, set()
        self._pass_on_held()
        if not is_for_all:
            self._obey(signals)

    def _obey(self, signals: Iterable[int]) -> None:
        """End the worker by signals that were meant for it alone.

        SIGINT never is: who presses Ctrl-C means the server.
        """
        if meant := [number for number in signals if number != signal.SIGINT]:
            self._obeyed = meant[0]
            self.kill()

    def _account_for(self, end: WorkerExit) -> None:
        """Report the end, as that by the signal that it was ended for, if it was for one."""
        self._signals.clear()
        self._pass_on_held()
        if self._misdeed is not None:
            end = replace(end, code=None, signal=None, misdeed=self._misdeed)
        elif end.signal == signal.SIGKILL and self._obeyed is not None:
            end = replace(end, signal=self._obeyed, is_by_request=True)
        elif end.signal in END_SIGNALS and self.is_ending is not None:
            self._judging = self._loop.create_task(self._judge_end(end, self.is_ending))
            return
        self.ended(end)

    async def _judge_end(self, end: WorkerExit, is_ending: Callable[[], bool]) -> None:
        """Report an end by a signal that a task had taken for itself, or given back."""
        self.ended(replace(end, is_for_all=await are_for_all(is_ending)))

    def _pass_on_held(self) -> None:
        held, self._held = self._held, []
        for message in held:
            self._pass_on(message)


def _pair(opened: ExitStack) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return opened.enter_context(ours), opened.enter_context(theirs)

"""The control thread of a worker: it listens while calls run, for cancel, abandon and look.

Where its supervisor has its slots only until a moment, this thread ends the process then.

It is also the only thread that takes `STACK_SIGNAL`. It waits in a system call nearly all the time,
without the GIL, so that the kernel can interrupt it there and faulthandler write its file even
while a task's C code holds the GIL.
"""

import select
import signal
from contextlib import suppress
from socket import socket
from threading import Thread
from typing import Final

from pooldeck.marks import moment
from pooldeck.protocol import (
    STACK_SIGNAL,
    Abandon,
    Cancel,
    Committed,
    Control,
    FrameBuffer,
    Look,
    Until,
    from_control,
)
from pooldeck.worker import exits
from pooldeck.worker.runner import Runner

_READ_BYTES: Final = 4096
_TURN: Final = 1.0  # seconds between two looks at the clock: a machine that sleeps stops waiting


def start(pipe: socket, runner: Runner, until: float | None = None) -> None:
    """Start the thread; it ends the process when the other end of the second pipe is gone.

    Args:
        pipe: The worker's end.
        runner: Runs the calls.
        until: When the process is to end if no later moment is told; None: never.
    """
    Thread(target=_run, args=(pipe, runner, until), name="pooldeck-control", daemon=True).start()


def _run(pipe: socket, runner: Runner, until: float | None) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {STACK_SIGNAL})
        _listen(pipe, runner, until)
        exits.end(exits.DONE)  # without a supervisor there is no one to report to
    finally:  # a worker without control must not live on
        exits.give_up()


def _listen(pipe: socket, runner: Runner, until: float | None) -> None:
    """Do as told until the pipe is closed, or the time is over."""
    frames = FrameBuffer()
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        left = None if until is None else until - moment()
        if not poll.poll(None if left is None else max(0.0, min(left, _TURN)) * 1000):
            if left is not None and left <= 0:
                return
            continue
        with suppress(BlockingIOError):
            data = pipe.recv(_READ_BYTES)
            if not data:
                return
            for body in frames.feed(data):
                message = from_control(body)
                if isinstance(message, Until):
                    until = message.at
                else:
                    _handle(message, runner)


def _handle(message: Cancel | Abandon | Look | Committed, runner: Runner) -> None:
    match message:
        case Cancel():
            runner.cancel(message.task)
        case Abandon():
            runner.abandon(message.task)
        case Look():
            runner.report_stack(message.task)
        case Committed():
            runner.commit(message.ends)

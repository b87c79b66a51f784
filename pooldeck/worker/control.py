"""The control thread of a worker: it listens while calls run, for cancel, abandon and look.

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

from pooldeck.protocol import (
    STACK_SIGNAL,
    Abandon,
    Cancel,
    Committed,
    Control,
    FrameBuffer,
    Look,
    from_control,
)
from pooldeck.worker import exits
from pooldeck.worker.runner import Runner

_READ_BYTES: Final = 4096


def start(pipe: socket, runner: Runner) -> None:
    """Start the thread; it ends the process when the other end of the second pipe is gone."""
    Thread(target=_run, args=(pipe, runner), name="pooldeck-control", daemon=True).start()


def _run(pipe: socket, runner: Runner) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {STACK_SIGNAL})
        _listen(pipe, runner)
        exits.end(exits.DONE)  # without a supervisor there is no one to report to
    finally:  # a worker without control must not live on
        exits.give_up()


def _listen(pipe: socket, runner: Runner) -> None:
    frames = FrameBuffer()
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        poll.poll()
        with suppress(BlockingIOError):
            data = pipe.recv(_READ_BYTES)
            if not data:
                return
            for body in frames.feed(data):
                _handle(from_control(body), runner)


def _handle(message: Control, runner: Runner) -> None:
    match message:
        case Cancel():
            runner.cancel(message.task)
        case Abandon():
            runner.abandon(message.task)
        case Look():
            runner.report_stack(message.task)
        case Committed():
            runner.commit(message.ends)

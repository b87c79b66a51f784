"""The thread of a worker that listens while calls run: cancel, abandon, look.

It is also the only thread that takes `STACK_SIGNAL`. It waits in a system call nearly all the time,
without the GIL, so that the kernel can interrupt it there and faulthandler write its file even
while a task's C code holds the GIL.
"""

import signal
from threading import Thread
from typing import Final

from pooldeck.protocol import (
    STACK_SIGNAL,
    Abandon,
    Cancel,
    Control,
    FrameBuffer,
    Look,
    from_control,
)
from pooldeck.worker import exits
from pooldeck.worker.descriptors import adopt
from pooldeck.worker.runner import Runner

_READ_BYTES: Final = 4096


class ControlThread:
    """Reads the second pipe and does what it says; ends the process when its other end is gone.

    Args:
        descriptor: The pipe's number.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = adopt(descriptor)

    def start(self, desk: Runner) -> None:
        """Start the thread; it ends with the process.

        Args:
            desk: Where calls run.
        """
        Thread(target=self._run, args=(desk,), name="pooldeck-control", daemon=True).start()

    def _run(self, desk: Runner) -> None:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {STACK_SIGNAL})
            self._listen(desk)
        except BaseException:  # noqa: BLE001 - a worker that hears nothing more is no use
            exits.give_up()
        exits.end(exits.DONE)  # without a supervisor nobody hears of what the calls do

    def _listen(self, desk: Runner) -> None:
        frames = FrameBuffer()
        while data := self._socket.recv(_READ_BYTES):
            for body in frames.feed(data):
                _obey(from_control(body), desk)


def _obey(message: Control, desk: Runner) -> None:
    match message:
        case Cancel():
            desk.cancel(message.task)
        case Abandon():
            desk.abandon(message.task)
        case Look():
            desk.report_stack(message.task)

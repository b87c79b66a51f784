"""The worker's end of the pipe to its supervisor."""

import os
import socket
from collections.abc import Iterator
from threading import Lock
from typing import Final, NoReturn

from pooldeck.descriptors import lift
from pooldeck.protocol import FrameBuffer, FromSupervisor, FromWorker, frame, from_supervisor

_READ_BYTES: Final = 32 * 1024  # memory for much more is mapped and unmapped at each read
_ABANDONED: Final = 0


class Channel:
    """Frames over an inherited socket. When the other side is gone, the process ends at once.

    Args:
        descriptor: The socket's number; it is moved out of the reach of tasks.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=lift(descriptor))
        self._socket.setblocking(True)
        self._sending = Lock()
        self._received = self._read()
        # A forked child of a task must neither speak for the worker nor keep the pipe open.
        os.register_at_fork(after_in_child=self._socket.close)

    def send(self, message: FromWorker) -> None:
        """Send a frame, whole, whatever other threads send."""
        data = frame(message)
        try:
            with self._sending:
                self._socket.sendall(data)
        except OSError:
            _leave()

    def receive(self) -> FromSupervisor:
        """Wait for the next frame and return it."""
        return next(self._received)

    def _read(self) -> Iterator[FromSupervisor]:
        frames = FrameBuffer()
        while True:
            yield from map(from_supervisor, frames.feed(self._wait()))

    def _wait(self) -> bytes:
        try:
            data = self._socket.recv(_READ_BYTES)
        except OSError:
            _leave()
        return data or _leave()


def _leave() -> NoReturn:
    """End the process: without a supervisor nobody hears of what it does."""
    os._exit(_ABANDONED)

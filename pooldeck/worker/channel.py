"""The worker's end of the pipe to its supervisor."""

import contextlib
import socket
from collections import deque
from threading import Lock
from typing import Final, NoReturn

from pooldeck.protocol import (
    HEADER_BYTES,
    Call,
    Finished,
    FrameBuffer,
    FromSupervisor,
    FromWorker,
    frame,
    from_supervisor,
)
from pooldeck.worker import exits
from pooldeck.worker.black_box import Region
from pooldeck.worker.descriptors import adopt

_READ_BYTES: Final = 32 * 1024  # memory for much more is mapped and unmapped at each read


class Channel:
    """Frames over an inherited socket. When the other side is gone, the process ends at once."""

    def __init__(self, descriptor: int) -> None:
        self._socket = adopt(descriptor)
        self._sending = Lock()
        self.ends = 0  # that were sent
        self._reading = Lock()
        self._frames = FrameBuffer()
        self._received: deque[FromSupervisor] = deque()

    def send(self, message: FromWorker) -> None:
        """Send a frame, whole, whatever other threads send."""
        data = frame(message)
        try:
            with self._sending:
                self._socket.sendall(data)
        except OSError:
            _leave()

    def finish(self, message: Finished, region: Region) -> None:
        """Send the end of a call, when it stands in the slot's region of the black box."""
        data = frame(message)
        try:
            with self._sending:
                self.ends += 1
                region.end(self.ends, data[HEADER_BYTES:], message.outcome)
                self._socket.sendall(data)
        except OSError:
            _leave()

    def receive(self) -> FromSupervisor:
        while True:
            try:
                return self._received.popleft()
            except IndexError:
                self._wait()

    def _wait(self) -> None:
        with self._reading:
            if not self._received:  # `take_back` may have read meanwhile
                self._take_in(0)

    def take_back(self) -> list[Call]:
        """Take out the calls that have arrived and that have not been received yet."""
        if self._reading.acquire(blocking=False):  # else nothing has arrived
            try:
                with contextlib.suppress(BlockingIOError):
                    self._take_in(socket.MSG_DONTWAIT)
            finally:
                self._reading.release()
        calls: list[Call] = []
        with contextlib.suppress(IndexError):
            while isinstance(message := self._received.pop(), Call):
                calls.append(message)
            self._received.append(message)
        return calls[::-1]

    def _take_in(self, flags: int) -> None:
        try:
            data = self._socket.recv(_READ_BYTES, flags)
        except BlockingIOError:
            raise
        except OSError:
            _leave()
        if not data:
            _leave()
        self._received.extend(map(from_supervisor, self._frames.feed(data)))


def _leave() -> NoReturn:
    """End the process: without a supervisor there is no one to report to."""
    exits.end(exits.DONE)

"""Frames over a connection: those of one turn of the event loop leave in one write."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pooldeck.hosts.wire import framed, unframed
from pooldeck.protocol import FrameBuffer, ProtocolError

_READ_BYTES: Final = 256 * 1024
_ROOM_BYTES: Final = 512 * 1024  # that may wait to be written before pieces of long frames


class FrameStream:
    """One side of a connection that is open.

    `receive` is for what is said before the other side is known; after `listen` all frames go to
    whom that names.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameBuffer()
        self._received = deque[tuple[int, bytes]]()
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._listening: asyncio.Task[None] | None = None
        writer.transport.set_write_buffer_limits(high=_ROOM_BYTES)

    @classmethod
    async def connect(cls, host: str, port: int, context: ssl.SSLContext | None) -> "FrameStream":
        """Dial a server.

        Raises:
            OSError: If there is none, or its certificate is not good (`ssl.SSLError`).
        """
        return cls(*await asyncio.open_connection(host, port, ssl=context))

    @property
    def peer(self) -> str:
        """Return where the other side is, for people."""
        name = self._writer.get_extra_info("peername")
        return ":".join(map(str, name[:2])) if isinstance(name, tuple) else "an unknown place"

    async def receive(self) -> tuple[int, bytes] | None:
        """Return the next frame, its number and its message; None if the other side is gone.

        Raises:
            ProtocolError: If the bytes are no frame.
        """
        while not self._received:
            data = b""
            with suppress(OSError):
                data = await self._reader.read(_READ_BYTES)
            if not data:
                return None
            self._received.extend(map(unframed, self._frames.feed(data)))
        return self._received.popleft()

    def send(self, n: int, message: bytes) -> None:
        """Send a frame with what else this turn of the event loop brings."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(framed(n, message))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and not self._writer.is_closing():
            self._writer.write(b"".join(unsent))

    async def has_room(self) -> None:
        """Return when little waits to be written, or the connection is lost."""
        self._flush()
        with suppress(OSError):
            await self._writer.drain()

    def listen(
        self, frame: Callable[[int, bytes], None], closed: Callable[[str | None], None]
    ) -> None:
        """Pass on each frame from now on.

        Args:
            frame: Called with the number and the message of each.
            closed: Called once, when no more will come; with what was wrong, if something was.
        """
        self._listening = self._loop.create_task(self._listen(frame, closed))

    async def _listen(
        self, frame: Callable[[int, bytes], None], closed: Callable[[str | None], None]
    ) -> None:
        why = None
        try:
            while (received := await self.receive()) is not None:
                frame(*received)
                while self._received and not self._writer.is_closing():
                    frame(*self._received.popleft())
        except ProtocolError as error:
            why = str(error)
        finally:
            self.close()
            closed(why)

    def close(self) -> None:
        """Close the connection when what was sent is on its way."""
        self._flush()
        self._writer.close()

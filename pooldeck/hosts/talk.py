"""A line over whatever connection there is at the moment."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from pooldeck.hosts.line import Line
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Ack, FromHost, FromServer, Piece, encode, from_host, from_server
from pooldeck.protocol import ProtocolError

_log: Final = logging.getLogger(__name__)


class Talk:
    """What a server and a boot of a host say to each other.

    Args:
        read: Called with each message, once and in order.
        lost: Called when a connection is lost; with what was wrong with it, if something was.
        decode: Reads what the other side says.
    """

    def __init__(
        self,
        read: Callable[[FromHost | FromServer], None],
        lost: Callable[[str | None], None],
        decode: Callable[[bytes], FromHost] | Callable[[bytes], FromServer],
    ) -> None:
        self._read = read
        self._lost = lost
        self._decode = decode
        self._line = Line()
        self._stepped = asyncio.Event()  # the other side has more of what was sent
        self._stream: FrameStream | None = None
        self._pumping: asyncio.Task[None] | None = None

    @classmethod
    def with_host(
        cls, read: Callable[[FromHost | FromServer], None], lost: Callable[[str | None], None]
    ) -> "Talk":
        """Return the server's side."""
        return cls(read, lost, from_host)

    @classmethod
    def with_server(
        cls, read: Callable[[FromHost | FromServer], None], lost: Callable[[str | None], None]
    ) -> "Talk":
        """Return the host's side."""
        return cls(read, lost, from_server)

    @property
    def is_connected(self) -> bool:
        """Tell whether there is a connection."""
        return self._stream is not None

    async def sent(self) -> None:
        """Return when all of the long frames has been sent."""
        while self._line.has_pieces:
            await self._step()

    async def settled(self) -> None:
        """Return when the other side has received everything."""
        while not self._line.is_settled:
            await self._step()

    async def _step(self) -> None:
        self._stepped.clear()
        await self._stepped.wait()

    @property
    def peer(self) -> str:
        """Return where the other side is, for people; empty without a connection."""
        return "" if self._stream is None else self._stream.peer

    def connect(self, stream: FrameStream, received: int) -> None:
        """Go on over another connection, which takes the place of the present one.

        Args:
            stream: The connection, on which both sides have said who they are.
            received: The number of the last frame that the other side has.

        Raises:
            ProtocolError: If that cannot be.
        """
        if self._stream is not None:
            self._stream.close()
        self._line.connect(stream.send, received)
        self._stream = stream
        stream.listen(
            lambda n, message: self._take(stream, n, message),
            lambda why: self._closed(stream, why),
        )
        self._pump()

    def disconnect(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()

    def acked(self) -> int:
        """Return how far frames have arrived, to tell the other side."""
        return self._line.acked()

    def acknowledge(self, received: int) -> None:
        """Note how far the other side has received frames."""
        self._line.acknowledge(received)
        self._stepped.set()

    def send(self, message: FromHost | FromServer, key: str | None = None) -> None:
        """Say something that arrives once, over this connection or a later one.

        Args:
            message: What.
            key: It does not overtake what was said with the same key.
        """
        self._line.send(encode(message), key)
        if self._line.has_pieces:
            self._pump()

    def send_now(self, message: FromHost | FromServer) -> None:
        """Say something that is of no use later: it is lost with the connection."""
        if self._stream is not None:
            self._stream.send(0, encode(message))

    def _pump(self) -> None:
        """Send long frames bit by bit, in the background."""
        is_idle = self._pumping is None or self._pumping.done()
        if self._line.has_pieces and self._stream is not None and is_idle:
            self._pumping = asyncio.get_running_loop().create_task(self._send_pieces())

    async def _send_pieces(self) -> None:
        while self._line.has_pieces and (stream := self._stream) is not None:
            await stream.has_room()
            if stream is self._stream:
                self._line.send_piece()
                self._stepped.set()
            await asyncio.sleep(0)  # what else there is to say comes in between

    def _take(self, stream: FrameStream, n: int, message: bytes) -> None:
        if stream is not self._stream or (n and not self._line.take(n, message)):
            return
        decoded = self._decode(message)
        if isinstance(decoded, Piece):
            whole = self._line.join(decoded)
            if whole is not None:
                self._pass_on(self._decode(whole))
        elif isinstance(decoded, Ack):
            self.acknowledge(decoded.received)
        else:
            self._pass_on(decoded)
        if self._line.wants_ack:
            stream.send(0, encode(Ack(self._line.acked())))

    def _pass_on(self, message: FromHost | FromServer) -> None:
        try:
            self._read(message)
        except ProtocolError:
            raise
        except Exception as error:
            _log.exception("a %s of another machine cannot be taken", type(message).__name__)
            raise ProtocolError(str(error)) from error

    def _closed(self, stream: FrameStream, why: str | None) -> None:
        if stream is self._stream:
            self._stream = None
            self._line.disconnect()
            self._lost(why)

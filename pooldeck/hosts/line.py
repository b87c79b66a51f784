"""One side of a line: frames arrive in order and once, whatever becomes of connections.

Frames are numbered in each direction, kept until the other side has acknowledged them, and sent
again over the next connection; what has arrived already is dropped. A frame that is too long is cut
into pieces, each of which is a frame, so that others need not wait behind it. Frames of one `key`
keep their order all the same.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pooldeck.hosts.wire import Piece, encode
from pooldeck.protocol import ProtocolError

PIECE_BYTES: Final = 256 * 1024
LONG_BYTES: Final = 1024 * 1024
"""What is longer is cut into pieces."""

_MOST_BYTES: Final = 64 * 1024 * 1024  # of a frame in pieces, as of any other
_ACK_FRAMES: Final = 64
_ACK_BYTES: Final = 1024 * 1024

Write = Callable[[int, bytes], None]
"""Sends a frame over the present connection: its number, and its message."""


@dataclass(eq=False)
class Line:
    """Numbers what is sent, and sorts what arrives. It does no I/O of its own."""

    received: int = 0  # the number of the last frame that arrived
    _write: Write | None = None
    _last: int = 0
    _kept: deque[tuple[int, bytes]] = field(default_factory=deque)
    _long: dict[str, deque[bytes]] = field(default_factory=dict)  # frames that wait, by key
    _cut: dict[str, tuple[int, int]] = field(default_factory=dict)  # the frame, how far it is sent
    _frames: int = 0
    _parts: dict[int, list[bytes]] = field(default_factory=dict)
    _unacknowledged: tuple[int, int] = (0, 0)  # frames and bytes that arrived

    # Out.

    def send(self, message: bytes, key: str | None = None) -> None:
        """Send a frame, now or over the next connection.

        Args:
            message: What it says.
            key: It does not overtake frames of the same key.
        """
        if key is not None and key in self._long:
            self._long[key].append(message)
        elif len(message) > LONG_BYTES:
            self._frames += 1
            self._long[key if key is not None else f" {self._frames}"] = deque([message])
        else:
            self._number(message)

    def _number(self, message: bytes) -> None:
        self._last += 1
        self._kept.append((self._last, message))
        if self._write is not None:
            self._write(self._last, message)

    @property
    def has_pieces(self) -> bool:
        """Tell whether there is something for `send_piece`."""
        return bool(self._long)

    def send_piece(self) -> None:
        """Send a piece of one of the long frames, by turns; what it is called for is room."""
        key = next(iter(self._long))
        waiting = self._long.pop(key)
        message = waiting[0]
        if len(message) <= LONG_BYTES:
            self._number(waiting.popleft())
        else:
            self._send_part(key, message)
            if key not in self._cut:
                waiting.popleft()
        if waiting:
            self._long[key] = waiting

    def _send_part(self, key: str, message: bytes) -> None:
        if key not in self._cut:
            self._frames += 1
            self._cut[key] = self._frames, 0
        frame, start = self._cut.pop(key)
        end = start + PIECE_BYTES
        is_last = end >= len(message)
        if not is_last:
            self._cut[key] = frame, end
        self._number(encode(Piece(frame, is_last, message[start:end])))

    def acknowledge(self, received: int) -> None:
        """Keep no longer what the other side has received."""
        while self._kept and self._kept[0][0] <= received:
            self._kept.popleft()

    @property
    def is_settled(self) -> bool:
        """Tell whether the other side has received everything."""
        return not self._kept and not self._long

    def connect(self, write: Write, received: int) -> None:
        """Use another connection: send again what has not arrived over the last one.

        Args:
            write: Sends over the connection.
            received: The number of the last frame that the other side has received.

        Raises:
            ProtocolError: If the other side cannot have received that, or has missed something
                that it acknowledged.
        """
        first = self._kept[0][0] if self._kept else self._last + 1
        if not first - 1 <= received <= self._last:
            raise ProtocolError(f"frame {received} of {first} to {self._last} was not sent or kept")
        self.acknowledge(received)
        self._write = write
        for n, message in self._kept:
            write(n, message)

    def disconnect(self) -> None:
        """Keep what is sent until there is a connection."""
        self._write = None

    # In.

    def take(self, n: int, message: bytes) -> bool:
        """Count a frame that arrived; return whether it is new, and so is to be read.

        Raises:
            ProtocolError: If one before it is missing.
        """
        if n <= self.received:
            return False
        if n != self.received + 1:
            raise ProtocolError(f"frame {n} follows frame {self.received}")
        self.received = n
        frames, size = self._unacknowledged
        self._unacknowledged = frames + 1, size + len(message)
        return True

    @property
    def wants_ack(self) -> bool:
        """Tell whether so much has arrived that the other side should keep it no longer."""
        frames, size = self._unacknowledged
        return frames >= _ACK_FRAMES or size >= _ACK_BYTES

    def acked(self) -> int:
        """Return the number of the last frame that arrived, which the other side is now told."""
        self._unacknowledged = 0, 0
        return self.received

    def join(self, piece: Piece) -> bytes | None:
        """Return a long frame when its last piece arrives, None before.

        Raises:
            ProtocolError: If the frame is longer than any may be.
        """
        parts = self._parts.setdefault(piece.frame, [])
        parts.append(piece.data)
        if len(parts) * PIECE_BYTES > _MOST_BYTES + PIECE_BYTES:
            raise ProtocolError(f"a frame in pieces is over the limit of {_MOST_BYTES} bytes")
        if not piece.is_last:
            return None
        return b"".join(self._parts.pop(piece.frame))

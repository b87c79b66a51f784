"""Messages as bytes and back: msgpack arrays behind the number of their frame."""

from collections.abc import Callable
from typing import Final

import msgspec

from pooldeck import protocol
from pooldeck.hosts.wire.host_frames import FromHost
from pooldeck.hosts.wire.server_frames import FromServer
from pooldeck.protocol import ProtocolError

NUMBER_BYTES: Final = 8
"""How long the number of a frame is."""

encode: Final[Callable[[FromHost | FromServer], bytes]] = msgspec.msgpack.Encoder().encode
"""Return a message as the rest of a frame's body, after its number."""

_decode_from_host: Callable[[bytes], FromHost] = msgspec.msgpack.Decoder(FromHost).decode
_decode_from_server: Callable[[bytes], FromServer] = msgspec.msgpack.Decoder(FromServer).decode


def from_host(message: bytes) -> FromHost:
    """Decode what a host sent.

    Raises:
        ProtocolError: If it is no such message.
    """
    try:
        return _decode_from_host(message)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProtocolError(str(error)) from error


def from_server(message: bytes) -> FromServer:
    """Decode what a server sent.

    Raises:
        ProtocolError: If it is no such message.
    """
    try:
        return _decode_from_server(message)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProtocolError(str(error)) from error


def framed(n: int, message: bytes) -> bytes:
    """Return a message with its number as a frame."""
    return protocol.framed(n.to_bytes(NUMBER_BYTES, "big") + message)


def unframed(body: bytes) -> tuple[int, bytes]:
    """Return the number and the message that a frame's body has.

    Raises:
        ProtocolError: If it is too short for a number.
    """
    if len(body) < NUMBER_BYTES:
        raise ProtocolError(f"a frame of {len(body)} bytes has no number")
    return int.from_bytes(body[:NUMBER_BYTES], "big"), body[NUMBER_BYTES:]

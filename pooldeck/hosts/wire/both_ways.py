"""Frames that a server and a host both send: what has arrived, and parts of long frames."""

from msgspec import Struct


class Ack(Struct, frozen=True, array_like=True, tag="ack"):
    """All numbered frames up to this one have arrived."""

    received: int


class Piece(Struct, frozen=True, array_like=True, tag="piece"):
    """A part of a frame that is too long to be sent at once; others may come in between."""

    frame: int  # tells the parts of one frame from those of another
    is_last: bool
    data: bytes

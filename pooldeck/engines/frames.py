"""What the server and a companion process say to each other: length, tagged msgpack array."""

import msgspec
from msgspec import Struct

from pooldeck.engines.port import EngineSpec, HostOffer
from pooldeck.protocol import framed


class Commission(Struct, frozen=True, array_like=True, tag="begin"):
    """The first frame: the engine, and the agents that an earlier companion asked for."""

    engine: str
    spec: EngineSpec
    wanted: int
    numbers: tuple[int, ...] = ()
    following: int = 1


class WantHosts(Struct, frozen=True, array_like=True, tag="want"):
    """Have so many hosts. It is said again and again: the answer shows that somebody is there."""

    hosts: int


class StillHere(Struct, frozen=True, array_like=True, tag="here"):
    """The answer to `WantHosts`."""


class PlacingAgents(Struct, frozen=True, array_like=True, tag="placing"):
    """The numbers of the agents that are asked for; sent before they are."""

    numbers: tuple[int, ...]
    following: int


class HostOffered(Struct, frozen=True, array_like=True, tag="offered"):
    """An agent holds a host process."""

    offer: HostOffer


class AgentLeft(Struct, frozen=True, array_like=True, tag="left"):
    """A host process has lost its agent, since its place was taken away."""

    host: str


class AgentEnded(Struct, frozen=True, array_like=True, tag="ended"):
    """An agent has ended."""

    number: int
    host: str | None
    why: str


class EngineSaid(Struct, frozen=True, array_like=True, tag="said"):
    """Why there are fewer hosts than are wanted; None: nothing is in the way."""

    sentence: str | None


ToCompanion = Commission | WantHosts
FromCompanion = StillHere | PlacingAgents | HostOffered | AgentLeft | AgentEnded | EngineSaid

_encode = msgspec.msgpack.Encoder().encode
_decode_to = msgspec.msgpack.Decoder(ToCompanion).decode
_decode_from = msgspec.msgpack.Decoder(FromCompanion).decode


def frame(message: ToCompanion | FromCompanion) -> bytes:
    """Return `message` as bytes for the socket pair."""
    return framed(_encode(message))


def to_companion(body: bytes) -> ToCompanion:
    """Decode the body of a frame that the server sent.

    Raises:
        msgspec.MsgspecError: If the bytes are no such frame.
    """
    return _decode_to(body)


def from_companion(body: bytes) -> FromCompanion:
    """Decode the body of a frame that a companion sent.

    Raises:
        msgspec.MsgspecError: If the bytes are no such frame.
    """
    return _decode_from(body)

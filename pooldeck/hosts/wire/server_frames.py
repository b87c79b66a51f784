"""Frames that a server sends to a host."""

from msgspec import Struct

from pooldeck.hosts.wire.both_ways import Ack, Piece
from pooldeck.hosts.wire.parts import HostPool
from pooldeck.pools.model import CodeSpec
from pooldeck.protocol import Call


class Welcome(Struct, frozen=True, array_like=True, tag="welcome"):
    """The host is part of a pool; it has a lease as from its `Hello`."""

    deck: str
    term: int
    pool: HostPool
    lease: float
    renew: float
    received: int = 0


class NotTaken(Struct, frozen=True, array_like=True, tag="not_taken"):
    """The host is not taken; `why` is a sentence for people. If it `is_final`, it gives up."""

    why: str
    is_final: bool = False


class Grant(Struct, frozen=True, array_like=True, tag="grant"):
    """The lease lasts from when the host sent `Renew` with this number."""

    n: int
    received: int


class Over(Struct, frozen=True, array_like=True, tag="over"):
    """The boot is to end at once, and to say that it is gone. If it `is_final`, so is the host."""

    why: str
    is_final: bool = False


class Post(Struct, frozen=True, array_like=True, tag="post"):
    """A call; no other boot, and no other term, may run it."""

    boot: str
    term: int
    call: Call
    is_quick: bool = False
    among: tuple[str, ...] | None = None  # workers that can run it; None: all can


class CancelCall(Struct, frozen=True, array_like=True, tag="cancel"):
    """Ask a call to end itself."""

    task: str


class KillCall(Struct, frozen=True, array_like=True, tag="kill"):
    """End a call by force."""

    task: str


class LookAt(Struct, frozen=True, array_like=True, tag="look"):
    """Say where a call is."""

    task: str


class Resize(Struct, frozen=True, array_like=True, tag="resize"):
    """Have another number of slots."""

    size: int


class Restart(Struct, frozen=True, array_like=True, tag="restart"):
    """Replace the workers one by one."""

    code: CodeSpec | None


class KillWorker(Struct, frozen=True, array_like=True, tag="kill_worker"):
    """End a worker."""

    worker: str


class Drain(Struct, frozen=True, array_like=True, tag="drain"):
    """Have no workers any more when nothing runs."""


class Resume(Struct, frozen=True, array_like=True, tag="resume"):
    """Have workers again."""


class EndsKept(Struct, frozen=True, array_like=True, tag="ends_kept"):
    """The first so many ends of the boot are on record."""

    ends: int


FromServer = (
    Welcome
    | NotTaken
    | Grant
    | Ack
    | Piece
    | Over
    | Post
    | CancelCall
    | KillCall
    | LookAt
    | Resize
    | Restart
    | KillWorker
    | Drain
    | Resume
    | EndsKept
)
"""All that a server sends."""

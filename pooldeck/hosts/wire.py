"""The frames between a server and its hosts.

As in `pooldeck.protocol`, a frame is a length and a body. Here the body begins with a number (eight
bytes, big-endian): that of the frame in its `Line`, or 0 for one that is sent only once. The rest
is a tagged msgpack array. What names a time as `..._ago` or `ago` counts seconds back from when the
frame was sent: neither side has to know the other one's clock.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.commands import Command
from pooldeck.kinds import PoolKind
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.listener import Death
from pooldeck.pools.model import CodeSpec, PoolSpec, PoolState, WorkerState
from pooldeck.protocol import (
    HEADER_BYTES,
    Call,
    Finished,
    Limits,
    LogLine,
    Progress,
    ProtocolError,
)
from pooldeck.tracing import Tracing

NUMBER_BYTES: Final = 8
"""How long the number of a frame is."""

DEFAULT_PORT: Final = 8790
"""Where a server listens for hosts."""


class Machine(Struct, frozen=True, array_like=True):
    """A machine, and what of its processes can be seen from where the host's process runs."""

    id: str
    boot_id: str  # of this start of its kernel
    pid_namespace: str  # processes of another one cannot be seen
    hostname: str
    cpus: int
    memory_bytes: int

    def sees_processes_of(self, other: "Machine") -> bool:
        """Tell whether a process here can find those that another process has left."""
        mine = (self.id, self.boot_id, self.pid_namespace)
        return mine == (other.id, other.boot_id, other.pid_namespace)


class HostPool(Struct, frozen=True, array_like=True):
    """What the pool on a host is made of: what its server's settings say, without paths."""

    name: str
    kind: PoolKind
    size: int
    modules: tuple[str, ...]
    initializer: str | None
    limits: Limits
    boot_seconds: float
    spare: int
    max_tasks_per_worker: int
    max_memory_bytes: int
    asked_seconds: float
    start_seconds: float
    leave_seconds: float
    restores_environment: bool
    probes: bool
    commands: tuple[Command, ...]
    tracing: Tracing | None
    native_threads: int | None

    @classmethod
    def of(cls, spec: PoolSpec) -> "HostPool":
        """Return what a host is told of a pool."""
        return cls(**{name: getattr(spec, name) for name in cls.__struct_fields__})

    def spec(self) -> PoolSpec:
        """Return what the host's own pool is made of."""
        return PoolSpec(**{name: getattr(self, name) for name in self.__struct_fields__})


# Both ways.


class Ack(Struct, frozen=True, array_like=True, tag="ack"):
    """All numbered frames up to this one have arrived."""

    received: int


class Piece(Struct, frozen=True, array_like=True, tag="piece"):
    """A part of a frame that is too long to be sent at once; others may come in between."""

    frame: int  # tells the parts of one frame from those of another
    is_last: bool
    data: bytes


# From a host.


class Gone(Struct, frozen=True, array_like=True, tag="gone"):
    """A boot of a host has ended, and no process of it is left.

    `ended` are ends that may not have arrived, `cut_off` what had begun and not ended. If it
    `is_whole`, nothing else that was posted to the boot and has not been reported has begun.
    """

    boot: str
    deck: str
    term: int
    ended: tuple[tuple[str, int, Finished], ...] = ()
    cut_off: tuple[tuple[str, int], ...] = ()
    is_whole: bool = False


class Hello(Struct, frozen=True, array_like=True, tag="hello"):
    """The first frame of a host. `deck` and `term` are those of the server that it is part of.

    It asks for a lease from the moment at which it was sent. `rejoin`: the boot had been welcomed
    before, and comes back after its connection was lost.
    """

    token: str
    pool: str
    name: str
    boot: str
    machine: Machine
    versions: dict[str, str]
    has: dict[str, float] = {}
    deck: str = ""
    term: int = 0
    received: int = 0
    gone: tuple[Gone, ...] = ()  # earlier boots of this host
    rejoin: bool = False


class Renew(Struct, frozen=True, array_like=True, tag="renew"):
    """Asks for the lease to last from the moment at which this was sent."""

    n: int
    received: int


class Began(Struct, frozen=True, array_like=True, tag="began"):
    """A worker began a call."""

    task: str
    attempt: int
    worker: str
    pid: int
    thread: int | None
    ago: float


class Ended(Struct, frozen=True, array_like=True, tag="ended"):
    """A call ended. `end` numbers the ends of the boot, from 1; 0: it stands in no black box."""

    task: str
    attempt: int
    outcome: Outcome
    worker: str
    pid: int
    thread: int | None
    started_ago: float | None
    is_abandoned: bool = False
    end: int = 0
    is_late: bool = False  # it was reported as abandoned before


class Back(Struct, frozen=True, array_like=True, tag="back"):
    """Calls that have not begun and will not."""

    calls: list[tuple[str, int]]


class Died(Struct, frozen=True, array_like=True, tag="died"):
    """A worker died; its calls have been reported."""

    death: Death
    ago: float


class Recovered(Struct, frozen=True, array_like=True, tag="recovered"):
    """The host has all its slots again, so long after a worker's death."""

    worker: str
    seconds: float


class Logged(Struct, frozen=True, array_like=True, tag="logged"):
    """Lines of a call's log; `now` is what the host's wall clock says."""

    task: str
    lines: list[LogLine]
    now: float


class WorkerSaid(Struct, frozen=True, array_like=True, tag="worker_said"):
    """Lines of a worker's own log."""

    worker: str
    lines: list[LogLine]
    now: float


class Progressed(Struct, frozen=True, array_like=True, tag="progressed"):
    """How far a call is."""

    progress: Progress


class Watched(Struct, frozen=True, array_like=True, tag="watched"):
    """What the probes of workers have seen."""

    observations: list[Observation]


class Described(Struct, frozen=True, array_like=True, tag="described"):
    """What a worker has loaded."""

    worker: str
    code: LoadedCode


class WorkerSample(Struct, frozen=True, array_like=True):
    """What a worker uses."""

    worker: str
    cpu_seconds: float
    rss_bytes: int


class Sampled(Struct, frozen=True, array_like=True, tag="sampled"):
    """What the workers and the machine use."""

    workers: list[WorkerSample]
    load: float
    memory_used: int


class Stacked(Struct, frozen=True, array_like=True, tag="stacked"):
    """Where a call is."""

    task: str
    text: str | None


class WorkerIs(Struct, frozen=True, array_like=True):
    """A worker of a host at one moment."""

    id: str
    pid: int
    state: WorkerState
    started_ago: float
    slots: int
    tasks_done: int
    is_open: bool


class Leaving(Struct, frozen=True, array_like=True, tag="leaving"):
    """The host is to go when nothing runs there any more: hand it no more calls."""

    why: str


class PoolIs(Struct, frozen=True, array_like=True, tag="pool_is"):
    """The host's pool at one moment."""

    state: PoolState
    reason: str | None
    is_given_up: bool
    workers: list[WorkerIs]


# From the server.


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


FromHost = (
    Hello
    | Renew
    | Ack
    | Piece
    | Began
    | Ended
    | Back
    | Died
    | Recovered
    | Logged
    | WorkerSaid
    | Progressed
    | Watched
    | Described
    | Sampled
    | Stacked
    | Leaving
    | PoolIs
    | Gone
)
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
    size = NUMBER_BYTES + len(message)
    return size.to_bytes(HEADER_BYTES, "big") + n.to_bytes(NUMBER_BYTES, "big") + message


def unframed(body: bytes) -> tuple[int, bytes]:
    """Return the number and the message that a frame's body has.

    Raises:
        ProtocolError: If it is too short for a number.
    """
    if len(body) < NUMBER_BYTES:
        raise ProtocolError(f"a frame of {len(body)} bytes has no number")
    return int.from_bytes(body[:NUMBER_BYTES], "big"), body[NUMBER_BYTES:]

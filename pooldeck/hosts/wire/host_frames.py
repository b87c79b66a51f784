"""Frames that a host sends. What is named `ago` counts seconds back from when it was sent."""

from msgspec import Struct

from pooldeck.hosts.wire.both_ways import Ack, Piece
from pooldeck.hosts.wire.parts import Machine, WorkerIs, WorkerSample
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.listener import Death
from pooldeck.pools.model import PoolState
from pooldeck.protocol import Finished, LogLine, Progress


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


class Sampled(Struct, frozen=True, array_like=True, tag="sampled"):
    """What the workers and the machine use."""

    workers: list[WorkerSample]
    load: float
    memory_used: int


class Stacked(Struct, frozen=True, array_like=True, tag="stacked"):
    """Where a call is."""

    task: str
    text: str | None


class Leaving(Struct, frozen=True, array_like=True, tag="leaving"):
    """The host is to go when nothing runs there any more: hand it no more calls."""

    why: str


class PoolIs(Struct, frozen=True, array_like=True, tag="pool_is"):
    """The host's pool at one moment."""

    state: PoolState
    reason: str | None
    is_given_up: bool
    workers: list[WorkerIs]


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
"""All that a host sends."""

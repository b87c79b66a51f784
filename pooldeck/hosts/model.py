"""What a server knows of the hosts of a pool, as values."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from pooldeck.hosts.lease import RATE_BOUND
from pooldeck.hosts.wire import Machine
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import PoolState


class HostRefused(Exception):  # noqa: N818 - it is no error of the server's
    """A host is not taken, for the reason that the text says in a sentence.

    Args:
        why: The sentence.
        is_final: Whether the host is not to try again.
    """

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


class HostTerms(Struct, frozen=True):
    """On which terms hosts are part of a server. Times are in seconds."""

    deck: str  # which server
    term: int  # which run of it
    lease: float = 15.0
    renew: float = 1.0  # between two requests
    margin: float = 5.0  # for a host to end what runs
    rate_bound: float = RATE_BOUND


class HostState(StrEnum):
    """How a host stands to its server."""

    ATTACHED = "attached"
    NO_CONTACT = "no_contact"  # its lease may last, and its calls run
    DRAINING = "draining"  # it gets no more calls
    GONE = "gone"  # no process of it is left


class GoneBy(StrEnum):
    """How it is known that a host is gone."""

    LEASE = "lease"  # its lease is over, and the time to end everything
    OWN_WORD = "own_word"  # it said so as it ended
    SUCCESSOR = "successor"  # the next process on the same machine found that nothing is left


class HostSnapshot(Struct, frozen=True):
    """A boot of a host at one moment. Times are seconds of the server's monotonic clock."""

    name: str
    boot: str
    machine: Machine
    versions: Mapping[str, str]
    has: Mapping[str, float]
    state: HostState
    since: float  # it is in this state
    attached_at: float
    last_contact: float
    lease_until: float | None  # then it is certainly gone if nothing more is heard; None: it is
    gone_at: float | None
    gone_by: GoneBy | None
    reason: str | None  # why its pool is broken, or why it is gone
    pool_state: PoolState
    slots: int
    busy: int
    workers: tuple[str, ...]
    load: float | None  # processes that run or wait for a CPU, over a minute
    memory_bytes: int
    memory_used: int | None
    rss_bytes: Mapping[str, int]  # by worker
    cpu_percent: Mapping[str, float]  # by worker; 100 for one core
    calls: tuple[RunningCall, ...]
    code_version: str  # what its workers have loaded
    address: str

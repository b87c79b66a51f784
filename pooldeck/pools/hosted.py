"""Pools whose workers are on hosts: what can be done there, and the frozen picture of a host.

The picture is what the server knows at one moment, and how surely.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from pooldeck.pools.listener import RunningCall


class HostState(StrEnum):
    """What the server knows of a host."""

    ATTACHED = "attached"  # it is heard of, and is handed calls
    NO_CONTACT = "no_contact"  # it is not heard of; what runs there may run on until its lease ends
    DRAINING = "draining"  # it is heard of, finishes what runs, and is handed nothing new
    GONE = "gone"  # nothing of it runs any more, for certain
    REFUSED = "refused"  # it dialled and was turned away: `reason` says why


class HostEnd(StrEnum):
    """How it is known that nothing of a host runs any more."""

    ATTESTED = "attested"  # it said so itself, or the next host of its machine has swept it
    LEASE = "lease"  # its lease is over, with the time that its keeper has to end everything


class Machine(Struct, frozen=True):
    """What a host is on; those of one name and different machines are told apart by it."""

    id: str
    boot_id: str  # of its kernel
    pid_namespace: str
    hostname: str
    cpus: int
    memory_bytes: int


class HostSnapshot(Struct, frozen=True, kw_only=True):
    """A host at one moment. Times are seconds of the server's monotonic clock.

    A host that is gone, or was refused, stays in the picture for some minutes.
    """

    name: str
    boot: str  # which of its processes: "" of one that was refused before it said so
    machine: Machine
    versions: Mapping[str, str]  # python, pooldeck, ...
    has: Mapping[str, float] = {}  # what calls may need of it: {"gpu": 1}
    state: HostState
    since: float  # when it attached for the first time, or was refused
    last_contact: float
    lease_until: float | None = None  # the latest end of its lease that it may know of
    lost_at: float | None = None  # when its calls are lost unless it is heard of, or attested
    gone_at: float | None = None
    end: HostEnd | None = None  # of one that is gone
    reason: str | None = None  # why it was refused, drained or ended, or its pool is broken
    pool_state: str = "running"  # of its own pool
    slots: int = 0
    busy: int = 0
    workers: tuple[str, ...] = ()  # their ids
    load: float | None = None  # processes that want a CPU, over the last minute
    memory_bytes: int | None = None  # of the machine
    memory_used: int | None = None  # of it, by anybody
    calls: tuple[RunningCall, ...] = ()  # that run there, or may
    code_version: str = ""  # the same text for the same code


@runtime_checkable
class HostedPool(Protocol):
    """What a pool can do beside `PoolPort` whose workers are on hosts."""

    def host_of(self, worker: str) -> str | None:
        """Return the name of the host that a worker is on, or was; None if it is not known."""

    def drain_host(self, name: str) -> bool:
        """Hand a host nothing new, and let it go when nothing runs there any more.

        Returns:
            Whether there is such a host. If not, nothing was done.
        """

    def end_host(self, name: str, why: str) -> bool:
        """End a host at once; what runs there is cut off, and reported as finished by that.

        Args:
            name: The host.
            why: What it is told, for its own log.

        Returns:
            Whether there is such a host. If not, nothing was done.
        """

"""Hosts: the machines that a pool's workers are on, as the API and the pages show them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck.hosts.model import GoneBy


class HostState(StrEnum):
    """What the server knows of a host."""

    ATTACHED = "attached"  # it is heard of, and is handed calls
    NO_CONTACT = "no_contact"  # it is not heard of; what runs there may run on until its lease ends
    DRAINING = "draining"  # it is heard of, finishes what runs, and is handed nothing new
    GONE = "gone"  # nothing of it runs any more, for certain
    REFUSED = "refused"  # it dialled and was turned away: `reason` says why


HOST_STATES: Final = tuple(map(str, HostState))
"""What the state of a host may be."""

STANDING: Final = frozenset({HostState.ATTACHED, HostState.NO_CONTACT, HostState.DRAINING})
"""The states of hosts on which something may run."""


class HostTask(Struct, frozen=True):
    """A task that runs on a host, or may: `is_started` says whether its start is on record."""

    task: str
    function: str
    is_started: bool


class HostHealth(Struct, frozen=True, kw_only=True):
    """A host at this moment. Times are microseconds since the epoch.

    `lost_at` is when all that runs there has certainly ended, and is lost, if nothing more is heard
    of it: its lease is over then, and the time that its keeper has to end everything. `gone_by`
    says how it is known that it is gone.
    """

    name: str
    pool: str
    boot: str
    state: HostState
    reason: str | None
    hostname: str
    machine: str
    address: str
    cpus: int
    since: int
    last_contact: int
    lost_at: int | None
    gone_at: int | None
    gone_by: GoneBy | None
    pool_state: str
    slots: int
    busy: int
    workers: tuple[str, ...]
    tasks: tuple[HostTask, ...]
    load: float | None
    memory_bytes: int | None
    memory_used: int | None
    code: str | None
    versions: Mapping[str, str]
    has: Mapping[str, float]

    @property
    def stands(self) -> bool:
        """Tell whether something may run there."""
        return self.state in STANDING


def host_of(worker: str | None) -> str | None:
    """Return the name of the host that a worker is on, or was, by its id.

    That is "POOL@HOST.BOOT-NUMBER" on a host, and "POOL-NUMBER" on the server's own machine.
    """
    _, at, place = (worker or "").partition("@")
    return place.rpartition("-")[0].rpartition(".")[0] or None if at else None


def pool_of(worker: str) -> str:
    """Return the name of a worker's pool, by its id."""
    pool, at, _ = worker.partition("@")
    return pool if at else worker.rpartition("-")[0]

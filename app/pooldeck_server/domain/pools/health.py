"""Live pool health, as the API and the pages show it."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from pooldeck.kinds import Ending, PoolKind
from pooldeck.pools.model import PoolState, WorkerState
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.pools.history import Recent
from pooldeck_server.domain.pools.hosts import HostHealth, HostState

POOL_STATES: Final = tuple(map(str, PoolState))
"""What the state of a pool may be."""

NO_CONTACT: Final = str(HostState.NO_CONTACT)
"""The state of workers whose host is not heard of: what they do is not known."""

WORKER_STATES: Final = (*map(str, WorkerState), NO_CONTACT)
"""What the state of a worker may be."""


class SlotHealth(Struct, frozen=True):
    """A slot of a worker and what runs in it; all None when it is free.

    An abandoned thread is no slot any more; it is listed behind them until it ends.
    """

    task: str | None = None
    function: str | None = None
    elapsed: float | None = None
    usual_p50: float | None = None  # seconds: half of its function's latest runs took at most this
    usual_p95: float | None = None  # and nineteen in twenty at most this
    is_late: bool = False  # it runs longer than nineteen in twenty do, and noticeably so
    abandoned: bool = False
    timeout: float | None = None  # seconds that it may run
    cancel_requested: bool = False  # it was asked to end itself
    fraction: float | None = None  # how much of it is done, if it says so
    if_killed: Ending | None = None  # how it would end; None for an abandoned one


class SwitchRates(Struct, frozen=True):
    """Context switches per second of worker processes."""

    voluntary: float
    involuntary: float


class WorkerHealth(Struct, frozen=True):
    """One worker process; measured figures are None until they were sampled."""

    id: str
    pid: int | None
    state: str  # starting, idle, busy, spare, stopping, no_contact
    started_at: int | None  # microseconds since the epoch
    tasks_done: int
    slots: tuple[SlotHealth, ...]
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    ctx_switches_per_s: SwitchRates | None = None
    restarts: int = 0  # how many workers had its place before, since the server started
    replaced: str | None = None  # the last of them
    code: str | None = None  # which code it has loaded: the same text for the same code
    is_outdated: bool = False  # a restart would load other code
    peak_rss_bytes: int | None = None  # the most that it ever held
    host: str | None = None  # the name of the host that it is on; None: the server's own machine


class DeadWorker(Struct, frozen=True):
    """A worker that died a moment ago, and whose fault that was if it is known."""

    id: str
    incident: str
    cause: str  # in words, such as "killed by SIGSEGV"
    function: str | None


class PoolHealth(Struct, frozen=True):
    """A pool at this moment."""

    name: str
    kind: PoolKind
    size: int  # where it has hosts, of each of them
    state: str  # running, paused, draining, broken, stopped
    reason: str | None  # why it is broken, in words, with the traceback
    busy: int
    queued: int
    oldest_wait: float | None
    incidents: int
    workers: tuple[WorkerHealth, ...]
    spare: int = 0  # workers that are ready to take a dead one's place
    restarts: int = 0  # workers that were replaced since the server started
    outgrown: int = 0  # of these, in the last minutes, for more memory than they may hold
    outgrown_bytes: int = 0  # the most that one of these held
    max_memory_bytes: int = 0  # that a worker may hold; 0: as much as it likes
    dead: tuple[DeadWorker, ...] = ()  # the latest first
    ctx_switches_per_s: SwitchRates | None = None  # of all its workers together
    recent: Recent | None = None  # what it did in the last minutes
    notices: tuple[Notice, ...] = ()  # what needs attention
    controls: PoolControl | None = None  # what was set by hand, if anything was
    hosts: tuple[HostHealth, ...] | None = None  # None: it lives on the server's own machine
    engine: str | None = None  # why the engine that is to place hosts does not
    wanted_hosts: int | None = None  # that the engine is asked for; None: none places hosts

    @property
    def slots(self) -> int:
        """Return how many slots there are: `size`, or those of all hosts that may run something."""
        if self.hosts is None:
            return self.size
        return sum(host.slots for host in self.hosts if host.stands)


def host_named(pools: Iterable[PoolHealth], pool: str, name: str | None) -> HostHealth | None:
    """Return what is known of a host of a pool; of several of one name that of the latest."""
    found = [host for each in pools if each.name == pool for host in each.hosts or ()]
    named = [host for host in found if host.name == name]
    return max(named, key=lambda host: (host.stands, host.last_contact), default=None)


def slot_of(pools: Iterable[PoolHealth], task_id: str) -> SlotHealth | None:
    """Return the slot that runs a task, None if none does."""
    for pool in pools:
        for worker in pool.workers:
            for slot in worker.slots:
                if slot.task == task_id and not slot.abandoned:
                    return slot
    return None

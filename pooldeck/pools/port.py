"""The port of a pool: what anybody may ask of one, and the frozen picture of it.

Who feeds a pool, shows it or controls it depends on this and on `PoolListener`, never on how the
pool keeps its workers.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from pooldeck.hosts.model import HostSnapshot
from pooldeck.kinds import Ending
from pooldeck.pools.boxes import EndsSeen
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import CodeSpec, PoolSpec, PoolState, WorkerState
from pooldeck.protocol import Call


class WorkerSnapshot(Struct, frozen=True):
    """A worker at one moment."""

    id: str  # no other worker ever has it
    pid: int  # 0 before it has one
    state: WorkerState
    started_at: float  # seconds of the monotonic clock
    slots: int  # its share of the pool's size
    tasks_done: int
    calls: tuple[RunningCall, ...]  # that run or may run, not those that wait behind one
    abandoned: tuple[RunningCall, ...]  # whose threads have not ended
    host: str | None = None  # the name of the host that it is on; None: the server's own machine
    rss_bytes: int | None = None  # of one on a host, as that measured it
    cpu_percent: float | None = None  # likewise


class Outgrown(Struct, frozen=True):
    """A worker that was found too large: when, by the monotonic clock, and how large."""

    at: float
    rss_bytes: int


class PoolSnapshot(Struct, frozen=True):
    """A pool at one moment; each value is what the port calls so."""

    spec: PoolSpec
    state: PoolState
    reason: str | None
    busy: int
    workers: tuple[WorkerSnapshot, ...]  # those that start or stop too, the oldest first
    hosts: tuple[HostSnapshot, ...] | None = None  # None: it lives on the server's own machine
    outgrown: tuple[Outgrown, ...] = ()  # the latest, the oldest first


class PoolPort(Protocol):
    """Slots that run calls.

    A pool tells its `PoolListener` what becomes of them: each call that was posted either ends
    once, with `finished`, or comes back once, with `returned`. All methods are called on the event
    loop that the pool lives on, and none of them blocks it.
    """

    # What it is.

    @property
    def spec(self) -> PoolSpec:
        """What the pool is made of, with its present size."""

    @property
    def size(self) -> int:
        """How many slots it is to have."""

    @property
    def state(self) -> PoolState:
        """Whether it runs calls."""

    @property
    def reason(self) -> str | None:
        """Why workers cannot be started, or a restart failed; None if all is well."""

    @property
    def is_given_up(self) -> bool:
        """Whether no more starts of workers are tried until a restart."""

    @property
    def free(self) -> int:
        """How many calls may be posted now; 0 while the pool hands nothing out."""

    @property
    def free_by_worker(self) -> Mapping[str, int]:
        """How many of the free slots each worker has, by its id; without those that have none."""

    @property
    def busy(self) -> int:
        """How many slots have a call."""

    @property
    def pids(self) -> Mapping[str, int]:
        """The process id of each worker that has one, by the worker's id."""

    @property
    def present(self) -> Collection[str]:
        """The ids of the workers that have a process, wherever it is, if only a starting one."""

    @property
    def staffed(self) -> Sequence[str]:
        """The ids of the workers that have slots, the oldest first."""

    @property
    def ready(self) -> Sequence[str]:
        """The ids of the workers that have slots, or wait for some, the oldest first."""

    def snapshot(self) -> PoolSnapshot:
        """Return the whole pool as it is at this moment.

        It takes time for each worker and call: meant for what people look at, not for each call.
        """

    # Calls.

    def post(
        self, call: Call, *, is_quick: bool = False, among: Collection[str] | None = None
    ) -> bool:
        """Hand a call to a free slot.

        Args:
            call: The call; no other one in the pool is for the same task.
            is_quick: Whether it is known to take so little time that it may wait in a worker,
                behind others that are quick, where calls have their worker to themselves.
            among: The ids of the workers that can run it; None: all can.

        Returns:
            Whether there was room for it. If not, nothing was done.
        """

    def cancel(self, task: str) -> bool:
        """Ask a task's call to end itself, or get it back if its worker has not started it.

        Returns:
            Whether a worker has it. If not, nothing was done.
        """

    def kill(self, task: str) -> Ending | None:
        """End a task's call by force, in the way that the kind of pool allows.

        A process ends with its worker; a thread cannot be ended and is abandoned. The snapshot says
        beforehand how a call would end.

        Returns:
            How that was done; None if no worker has it.
        """

    async def stack(self, task: str) -> str | None:
        """Return where a task's call is at this moment, without disturbing it.

        Returns:
            Its stack, innermost frame last; None if no worker runs it.
        """

    def ends(self) -> EndsSeen | None:
        """Return which ends have come since `commit` was told last; None if nobody keeps boxes."""

    def commit(self, ends: EndsSeen) -> None:
        """Let what is on record not be kept by the workers any longer."""

    # Workers.

    def resize(self, size: int) -> None:
        """Have another number of slots; what runs goes on, with more than there are if need be.

        Args:
            size: From 1.

        Raises:
            ValueError: If it is less.
        """

    def restart(self, code: CodeSpec | None = None) -> None:
        """Replace the workers one by one, in the background: user code is loaded again.

        If a new one does not get ready, or lacks a module that the old ones have, `reason` says
        why and the old ones go on. A broken pool tries again.

        Args:
            code: What new workers load from now on; None: what they did before.
        """

    def kill_worker(self, worker_id: str) -> bool:
        """End a worker; its calls are reported as cancelled, since they are really stopped.

        Returns:
            Whether there is such a worker.
        """

    def note_memory(self, worker_id: str, rss_bytes: int) -> None:
        """Take how much memory a worker uses; one that uses too much is replaced or killed.

        One that has run nothing yet is left alone: another one would need as much.

        Args:
            worker_id: The worker; nothing happens if it is gone.
            rss_bytes: Its resident memory.
        """

    # From start to stop.

    async def start(self) -> None:
        """Start all workers, unless the pool is drained; they report when they are ready."""

    def pause(self) -> None:
        """Hand nothing out; what runs goes on."""

    def resume(self) -> None:
        """Hand out calls again, also after a drain."""

    def drain(self) -> None:
        """Hand nothing out, and have no workers any more when nothing runs."""

    async def stop(self, grace: float) -> None:
        """Take no more calls, let what runs end for a while, then end every worker.

        Calls that are still running then are reported as finished with kind `interrupted`. It may
        be asked again meanwhile, for less.

        Args:
            grace: Seconds for what runs.
        """

    def expel_leaving(self) -> None:
        """End the workers now that were told to leave and have not ended yet."""

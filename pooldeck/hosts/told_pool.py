"""The pool on a host, as its host has told it last."""

import time
from collections import Counter
from dataclasses import dataclass, field

from pooldeck.hosts.wire import PoolIs, WorkerIs
from pooldeck.pools.model import PoolState


@dataclass(eq=False)
class ToldPool:
    """What is known of the pool on a host.

    Args:
        most_slots: How many slots it is to have, or will have soon.
    """

    most_slots: int
    state: PoolState = PoolState.RUNNING
    reason: str | None = None  # why its workers cannot be started
    is_given_up: bool = False  # nothing more is tried to start them
    workers: dict[str, WorkerIs] = field(default_factory=dict)
    described: set[str] = field(default_factory=set)  # whose code was told, until they are gone
    at: float = 0.0  # when that was told, by the server's monotonic clock
    _open_slots: int = 0
    _done: Counter[str] = field(default_factory=Counter)  # calls that ended since, by worker

    @property
    def open_slots(self) -> int:
        """Return how many slots take calls."""
        return min(self._open_slots, self.most_slots)

    @property
    def open_workers(self) -> list[str]:
        """Return the workers that take calls."""
        return [each.id for each in self.workers.values() if each.is_open]

    def tasks_done(self, worker: WorkerIs) -> int:
        """Return how many calls have ended in a worker."""
        return worker.tasks_done + self._done[worker.id]

    def note_end(self, worker: str) -> None:
        """Note that a call ended in a worker."""
        self._done[worker] += 1

    def take(self, told: PoolIs) -> None:
        """Take what the host tells."""
        self.state, self.reason, self.is_given_up = told.state, told.reason, told.is_given_up
        before = self.workers
        self.workers = {each.id: each for each in told.workers}
        self.described -= before.keys() - self.workers.keys()
        self.at = time.monotonic()
        self._done.clear()
        self._open_slots = sum(each.slots for each in told.workers if each.is_open)

    def end(self) -> None:
        """Note that nothing of it runs any more."""
        self.workers = {}
        self._open_slots = 0

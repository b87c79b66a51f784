"""A pool's account of free slots: which worker takes the next call."""

from pooldeck.pools.model import WorkerState
from pooldeck.pools.worker import Worker


class FreeSlots:
    """The free slots of the workers that are open for calls.

    Attributes:
        is_open: Whether slots are given out; a paused pool keeps its account up to date.
    """

    def __init__(self) -> None:
        self.is_open = True
        self._free: list[Worker] = []  # a worker stands here once for each of its free slots

    @property
    def free(self) -> int:
        """Return how many slots may be taken now."""
        return len(self._free) if self.is_open else 0

    def take(self) -> Worker | None:
        return self._free.pop() if self._free and self.is_open else None

    def give_back(self, worker: Worker) -> None:
        """Note that a slot of an open worker is free, unless it has had more than its share."""
        if len(worker.running) + len(worker.leaving) < worker.slots:
            self._free.append(worker)

    def set_share(self, worker: Worker, slots: int) -> None:
        """Give a worker more slots, or take away from it: free ones at once, others when free."""
        worker.slots = slots
        if not worker.is_open:
            worker.state = WorkerState.IDLE
        self._free = [free for free in self._free if free is not worker]
        self._free += [worker] * (slots - len(worker.running) - len(worker.leaving))

    def close(self, worker: Worker) -> None:
        """Give out no more slots of a worker."""
        self._free = [free for free in self._free if free is not worker]

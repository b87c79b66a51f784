"""A pool's account of free slots: which worker takes the next call."""

from collections import Counter
from collections.abc import Collection, Mapping

from pooldeck.pools.model import WorkerState
from pooldeck.pools.worker import Worker


class FreeSlots:
    """The free slots of the workers that are open for calls."""

    def __init__(self) -> None:
        self.is_open = True  # slots are given out; a paused pool keeps its account up to date
        self._free: list[Worker] = []  # a worker stands here once for each of its free slots

    @property
    def free(self) -> int:
        return len(self._free) if self.is_open else 0

    def take(self, among: Collection[str] | None = None) -> Worker | None:
        """Take a free slot, of one of the workers `among` if they are given by their ids."""
        if not self._free or not self.is_open:
            return None
        if among is None:
            return self._free.pop()
        for place in range(len(self._free) - 1, -1, -1):
            if self._free[place].id in among:
                return self._free.pop(place)
        return None

    @property
    def by_worker(self) -> Mapping[str, int]:
        """Return how many slots of each worker are free."""
        return Counter(worker.id for worker in self._free) if self.is_open else {}

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
        self._free = [free for free in self._free if free is not worker]

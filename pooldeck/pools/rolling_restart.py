"""A rolling restart: each worker in turn is replaced by one that loads the code anew."""

from collections.abc import Iterable, Sequence

from pooldeck.pools.model import WorkerState
from pooldeck.pools.worker import Worker


class RollingRestart:
    """Chooses who is replaced next, once the last one's successor is ready."""

    def __init__(self) -> None:
        self.is_under_way = False  # there are workers left that run the old code
        self._outdated: list[Worker] = []

    def begin(self, workers: Iterable[Worker]) -> None:
        """Have workers replaced: first those without slots, then those that are idle."""
        self._outdated = sorted(workers, key=lambda one: (one.is_open, one.busy))
        self.is_under_way = bool(self._outdated)

    def go_on(self, here: Sequence[Worker]) -> None:
        """Choose the next of those that do not stop, unless the last one's successor starts yet."""
        if any(one.is_worn or one.state is WorkerState.STARTING for one in here):
            return
        self._outdated = [worker for worker in self._outdated if worker in here]
        if self._outdated:
            self._outdated.pop(0).is_worn = True
        else:
            self.is_under_way = False

    def end(self, here: Iterable[Worker]) -> None:
        """Let those that have not been replaced go on."""
        self.is_under_way = False
        self._outdated.clear()
        for worker in here:
            worker.is_worn = False

"""Queued tasks of one pool that none of its workers can run: they wait for other code."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from pooldeck_server.domain.tasks.task import QueuedTask


class Unschedulable:
    """Which tasks those are, and how many of each function."""

    def __init__(self) -> None:
        self._tasks: dict[int, QueuedTask] = {}  # by number, without their arguments
        self._counts: Counter[str] = Counter()

    def __iter__(self) -> Iterator[int]:
        return iter(self._tasks)

    @property
    def seqs(self) -> Collection[int]:
        return self._tasks.keys()

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of tasks of each function."""
        return self._counts

    def ids(self, function: str | None) -> list[str]:
        """Return the ids of those tasks, of one function if it is named."""
        return [
            task.id
            for task in self._tasks.values()
            if function is None or task.function == function
        ]

    def add(self, task: QueuedTask) -> bool:
        """Add a task; return whether it is the first of its function."""
        if task.seq in self._tasks:
            return False
        self._tasks[task.seq] = replace(task, args="", kwargs="")
        self._counts[task.function] += 1
        return self._counts[task.function] == 1

    def discard(self, seq: int) -> None:
        task = self._tasks.pop(seq, None)
        if task is not None:
            self._counts[task.function] -= 1
            self._counts += Counter()  # drops what is down to nothing

    def clear(self) -> None:
        self._tasks.clear()
        self._counts.clear()

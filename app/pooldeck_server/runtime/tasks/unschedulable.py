"""Queued tasks of one pool that none of its workers can run: they wait for other code."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from pooldeck_server.domain.tasks.task import QueuedTask

_NAMED: Final = 3  # different needs of one function


class Unschedulable:
    """Which tasks those are, and how many of each function."""

    def __init__(self) -> None:
        self._tasks: dict[int, QueuedTask] = {}  # by number, without their arguments
        self._counts: Counter[str] = Counter()
        self._unmet: dict[int, str] = {}  # what tasks need that no machine has, in words
        self._unmet_counts: defaultdict[str, Counter[str]] = defaultdict(Counter)  # by function

    def __iter__(self) -> Iterator[int]:
        return iter(self._tasks)

    @property
    def seqs(self) -> Collection[int]:
        return self._tasks.keys()

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of tasks of each function."""
        return self._counts

    @property
    def are_unmet(self) -> bool:
        """Tell whether some of them need what no machine has."""
        return bool(self._unmet)

    def ids(self, function: str | None) -> list[str]:
        """Return the ids of those tasks, of one function if it is named."""
        return [
            task.id
            for task in self._tasks.values()
            if function is None or task.function == function
        ]

    def unmet(self, function: str) -> str | None:
        """Say what tasks of a function need that no machine has, None if that is not why."""
        words = [each for each, _ in self._unmet_counts.get(function, Counter()).most_common()]
        more = ["and others need something else"] if len(words) > _NAMED else []
        return "; ".join(words[:_NAMED] + more) or None

    def add(self, task: QueuedTask, unmet: str | None = None) -> bool:
        """Add a task.

        Args:
            task: It.
            unmet: What it needs that no machine has, in words, if that is why.

        Returns:
            Whether it is the first of its function.
        """
        if task.seq in self._tasks:
            return False
        if unmet is not None:
            self._unmet[task.seq] = unmet
            self._unmet_counts[task.function][unmet] += 1
        self._tasks[task.seq] = replace(task, args="", kwargs="")
        self._counts[task.function] += 1
        return self._counts[task.function] == 1

    def discard(self, seq: int) -> None:
        task = self._tasks.pop(seq, None)
        if task is not None:
            self._counts[task.function] -= 1
            self._counts += Counter()  # drops what is down to nothing
            self._forget_unmet(task)

    def _forget_unmet(self, task: QueuedTask) -> None:
        if (unmet := self._unmet.pop(task.seq, None)) is not None:
            self._unmet_counts[task.function] -= Counter((unmet,))
            if not self._unmet_counts[task.function]:
                del self._unmet_counts[task.function]

    def clear(self) -> None:
        self._unmet.clear()
        self._unmet_counts.clear()
        self._tasks.clear()
        self._counts.clear()

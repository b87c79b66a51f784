"""Queued tasks of one pool that wait until a machine has free what they need."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator
from typing import TypeAlias

from pooldeck_server.domain.tasks.needs import Amounts
from pooldeck_server.domain.tasks.task import QueuedTask

Order: TypeAlias = tuple[int, int]


class ParkedLine:
    """The tasks that need the same, in the order in which they should run."""

    def __init__(self, needs: Amounts) -> None:
        self.needs = needs
        self.orders: list[Order] = []

    @property
    def first(self) -> Order:
        return self.orders[0]


class Parked:
    """The lines of a pool. Of a task only its order is held: the rest is in the store."""

    def __init__(self) -> None:
        self._lines: dict[tuple[tuple[str, float], ...], ParkedLine] = {}
        self._of: dict[int, tuple[tuple[tuple[str, float], ...], Order]] = {}  # by number

    def __bool__(self) -> bool:
        return bool(self._of)

    def __contains__(self, seq: int) -> bool:
        return seq in self._of

    def __iter__(self) -> Iterator[ParkedLine]:
        return iter(self._lines.values())

    @property
    def seqs(self) -> Collection[int]:
        return self._of.keys()

    def add(self, task: QueuedTask, needs: Amounts) -> None:
        self.discard(task.seq)
        key = tuple(needs.items())
        line = self._lines.setdefault(key, ParkedLine(needs))
        insort(line.orders, task.order)
        self._of[task.seq] = key, task.order

    def discard(self, seq: int) -> None:
        if (found := self._of.pop(seq, None)) is None:
            return
        key, order = found
        line = self._lines[key]
        del line.orders[bisect_left(line.orders, order)]
        if not line.orders:
            del self._lines[key]

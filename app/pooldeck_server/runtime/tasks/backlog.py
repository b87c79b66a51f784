"""The part of a pool's queue that is held in memory: a bounded heap, best task first.

The store holds every queued task; the backlog holds the best of them. When more wait than it may
hold, `horizon` remembers how far its knowledge reaches: whatever sorts behind it is only in the
store, and is read again when the backlog runs low. It is plain data on the event loop, fed by the
dispatcher.
"""

import heapq
from collections.abc import Callable, Iterable
from enum import Enum, auto

from pooldeck_server.domain.tasks.task import QueuedTask

_Order = tuple[int, int]


class Turn(Enum):
    """What becomes of a task that is looked at in its turn."""

    TAKE = auto()
    PASS_OVER = auto()  # it waits on, and others may be taken before it
    TAKE_OUT = auto()  # it does not belong here any more
    STOP = auto()  # neither it nor what comes after it


class Backlog:
    """Queued tasks of one pool in the order in which they should run, `limit` of them at most.

    `limit_bytes` is how much of their arguments to hold, about; a single task may be larger.
    """

    def __init__(self, limit: int, limit_bytes: int = 64 * 1024 * 1024) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._waiting: dict[int, QueuedTask] = {}  # by seq
        self._heap: list[_Order] = []  # may name tasks that no longer wait
        self._horizon: _Order | None = None  # None: the store has nothing that is not here

    @property
    def is_exhausted(self) -> bool:
        """Tell whether nothing waits, neither here nor in the store."""
        return not self._waiting and self._horizon is None

    @property
    def is_whole(self) -> bool:
        """Tell whether the store has nothing, of what may run, that is not here."""
        return self._horizon is None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def runs_low(self) -> bool:
        """Tell whether it is time to read more from the store."""
        return (
            self._horizon is not None
            and len(self._waiting) <= self._limit // 4
            and self._bytes <= self._limit_bytes // 4
        )

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= self._limit or self._bytes >= self._limit_bytes

    def offer(self, task: QueuedTask) -> bool:
        """Hold a task that became queued; return False if it stays in the store only.

        Of one that was changed meanwhile, what it has become is held.
        """
        if self._has(task):
            return True
        self.remove(task.seq)
        order = task.order
        if self._horizon is not None and order > self._horizon:
            return False
        if self._is_full or (self._waiting and self._bytes + _size(task) > self._limit_bytes):
            self.mark_incomplete(order)
            return False
        self._hold(task)
        return True

    def _has(self, task: QueuedTask) -> bool:
        held = self._waiting.get(task.seq)
        return held is not None and held.edits >= task.edits

    def _hold(self, task: QueuedTask) -> None:
        self._waiting[task.seq] = task
        self._bytes += _size(task)
        heapq.heappush(self._heap, task.order)

    def refill(self, tasks: Iterable[QueuedTask], *, more: bool) -> None:
        """Take the best tasks of the store that nobody has in hand, and whether it has `more`."""
        self._horizon = None
        last: _Order | None = None
        for task in tasks:
            last = task.order
            if not self._has(task):
                self.remove(task.seq)
                self._hold(task)
        if more:
            self._horizon = last

    def mark_incomplete(self, order: _Order) -> None:
        """Note that a task of this order is in the store and not here."""
        self._horizon = order if self._horizon is None else min(order, self._horizon)

    def peek(self) -> QueuedTask | None:
        """Return the task that should run next, or None."""
        while self._heap:
            task = self._waiting.get(self._heap[0][1])
            if task is not None and task.order == self._heap[0]:
                return task
            heapq.heappop(self._heap)
        return None

    def pop(self) -> QueuedTask:
        """Take the task that should run next.

        Raises:
            IndexError: If nothing waits here.
        """
        task = self.peek()
        if task is None:
            raise IndexError("nothing waits in the backlog")
        heapq.heappop(self._heap)
        self._take_out(task)
        return task

    def choose(self, judge: Callable[[QueuedTask], Turn], look_at: int) -> list[QueuedTask]:
        """Take out those that are chosen, in their order; of the others pass over so many."""
        chosen: list[QueuedTask] = []
        passed: list[_Order] = []
        while len(chosen) + len(passed) < look_at and (task := self.peek()) is not None:
            choice = judge(task)
            if choice is Turn.STOP:
                break
            heapq.heappop(self._heap)
            if choice is Turn.PASS_OVER:
                passed.append(task.order)
                continue
            self._take_out(task)
            if choice is Turn.TAKE:
                chosen.append(task)
        for order in passed:
            heapq.heappush(self._heap, order)
        return chosen

    def remove(self, seq: int) -> QueuedTask | None:
        """Take out a task that was cancelled; None if it is not here."""
        task = self._waiting.get(seq)
        if task is not None:
            self._take_out(task)
        return task

    def drop(self, function: str) -> None:
        for task in [task for task in self._waiting.values() if task.function == function]:
            self._take_out(task)

    def _take_out(self, task: QueuedTask) -> None:
        del self._waiting[task.seq]
        self._bytes -= _size(task)

    def oldest(self) -> QueuedTask | None:
        """Return the task here that was submitted first, or None."""
        return self._waiting[min(self._waiting)] if self._waiting else None


def _size(task: QueuedTask) -> int:
    return len(task.args) + len(task.kwargs)

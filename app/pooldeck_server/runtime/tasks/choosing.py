"""Which of the tasks that wait are claimed next: two ways to judge one that is looked at."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.tasks.backlog import Turn

Takers = Callable[[QueuedTask], Collection[str] | None]
"""Gives the workers that can run a task, by their ids; None for all."""


@dataclass
class InTurn:
    """One after the other: for the free slots, and as far ahead as there are `seconds_left`."""

    takers: Takers
    work: Callable[[str], float | None]  # the seconds that a task of a function takes, if known
    slots_left: int
    seconds_left: float

    @property
    def has_room(self) -> bool:
        return self.slots_left > 0 or self.seconds_left > 0

    def __call__(self, task: QueuedTask) -> Turn:
        seconds = 0.0
        if self.slots_left <= 0:
            known = self.work(task.function)
            if known is None or known > self.seconds_left:
                return Turn.STOP
            seconds = known
        takers = self.takers(task)
        if takers is not None and not takers:
            return Turn.TAKE_OUT
        if self.slots_left > 0:
            self.slots_left -= 1
        else:
            self.seconds_left -= seconds
        return Turn.TAKE


class AmongWorkers:
    """Where workers have different code: for free slots, each of a worker that takes the task."""

    def __init__(self, takers: Takers, free: Mapping[str, int], slots_left: int) -> None:
        self._takers = takers
        self._free = Counter(free)
        self._slots_left = slots_left

    @property
    def has_room(self) -> bool:
        return self._slots_left > 0

    def __call__(self, task: QueuedTask) -> Turn:
        if not self.has_room:
            return Turn.STOP
        takers = self._takers(task)
        if takers is not None and not takers:
            return Turn.TAKE_OUT
        able = (name for name, free in self._free.items() if free > 0)
        worker = next((name for name in able if takers is None or name in takers), None)
        if worker is None:
            return Turn.PASS_OVER
        self._free[worker] -= 1
        self._slots_left -= 1
        return Turn.TAKE

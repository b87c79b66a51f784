"""The runner of a thread worker: calls side by side in slots, each with a thread of its own."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush

from pooldeck import resources
from pooldeck.protocol import Abandoned, Call
from pooldeck.worker import exits
from pooldeck.worker.runner import Equipment, Runner
from pooldeck.worker.runs import Run, Slot
from pooldeck.worker.task_log import TaskLog


class ThreadRunner(Runner):
    """Hands each call to an idle slot, or to a new one.

    A slot is an executor of one thread, so that it can be left to itself when it hangs. How many
    may run at a time is counted by the supervisor.
    """

    runs_alone = False

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(equipment)
        self._executors: dict[Slot, ThreadPoolExecutor] = {}
        self._idle: list[Slot] = []
        self._numbers = itertools.count(1)
        self._numbers_left: list[int] = []  # a heap: those of abandoned slots

    def dispatch(self, call: Call) -> None:
        slot = self._idle.pop() if self._idle else self._new_slot()
        self._executors[slot].submit(self._perform_in, slot, call)

    def close(self) -> None:
        """Wait for the calls that run; abandoned ones are left to themselves."""
        executors = tuple(self._executors.values())
        for executor in executors:
            executor.submit(resources.close_own)
        for executor in executors:
            executor.shutdown()

    def abandon(self, task: str) -> None:
        """Leave a call's thread to itself; its number is free again."""
        run = self._runs.abandon(task)
        if run is not None:
            run.log.flush()
            run.log.close()
            executor = self._executors.pop(run.slot)
            executor.submit(resources.close_own)  # if the thread ever comes to its end
            executor.shutdown(wait=False)
            heappush(self._numbers_left, run.slot.number)
            self._channel.send(Abandoned(task))

    def _new_slot(self) -> Slot:
        number = heappop(self._numbers_left) if self._numbers_left else next(self._numbers)
        slot = Slot(number)
        self._executors[slot] = ThreadPoolExecutor(1, f"slot-{number}", slot.bind_thread)
        return slot

    def _perform_in(self, slot: Slot, call: Call) -> None:
        try:
            self._perform(call, slot)
        except BaseException:  # noqa: BLE001 - the executor would keep it to itself
            exits.give_up()

    def _collect_output(self, log: TaskLog) -> None:
        """Do nothing: which call C code and children have written for is not known."""

    def _free_slot(self, run: Run) -> None:
        """Make the slot idle; the next call may come as soon as this one's end is reported."""
        if not run.is_abandoned:
            self._idle.append(run.slot)

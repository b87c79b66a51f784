"""The runner of a thread worker: calls side by side in slots, each with a thread of its own."""

import itertools
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from heapq import heappop, heappush
from threading import Lock, Thread
from typing import Any, Final

from pooldeck import resources
from pooldeck.protocol import Abandoned, Call
from pooldeck.worker import exits
from pooldeck.worker.logs import capture
from pooldeck.worker.logs.inheritance import threads_of
from pooldeck.worker.logs.task_log import TaskLog
from pooldeck.worker.runner import Equipment, Runner
from pooldeck.worker.runs import Run, Slot

_submit = ThreadPoolExecutor.submit  # as it is before it lets work inherit a task: here is none
_LOOK: Final = 0.05  # seconds between two looks at what has been abandoned meanwhile


class ThreadRunner(Runner):
    """Hands each call to an idle slot, or to a new one.

    A slot is an executor of one thread, so that it can be left to itself when it hangs. How many
    may run at a time is counted by the supervisor.
    """

    runs_alone = False

    def __init__(self, equipment: Equipment) -> None:
        self._sharing = Lock()  # keeps the account of who runs and what was written together
        self._strange: tuple[Any, Any] | None = None  # streams that a call has put in place
        self._suspects: set[Run] = set()  # which may have done it
        super().__init__(equipment)
        self._executors: dict[Slot, ThreadPoolExecutor] = {}
        self._idle: list[Slot] = []
        self._numbers = itertools.count(1)
        self._numbers_left: list[int] = []  # a heap: those of abandoned slots
        self._abandoned: list[Run] = []

    def dispatch(self, call: Call) -> None:
        slot = self._idle.pop() if self._idle else self._new_slot()
        _submit(self._executors[slot], self._perform_in, slot, call)

    def close(self) -> Collection[Thread]:
        """Wait for the calls that run, unless they are abandoned; return the threads of those.

        What such a call has started is left to itself as well: it may be what the call waits for.
        """
        closing = {}
        for slot, executor in tuple(self._executors.items()):
            with suppress(RuntimeError):  # it is just being abandoned
                closing[slot] = executor.submit(resources.close_own)
            executor.shutdown(wait=False)
        while awaited := [
            closed
            for slot, closed in closing.items()
            if slot in self._executors and not closed.done()
        ]:
            wait(awaited, _LOOK)
        threads = ((run.slot.thread, *threads_of(run.task)) for run in self._abandoned)
        return tuple(itertools.chain.from_iterable(threads))

    def abandon(self, task: str) -> None:
        """Leave a call's thread to itself; its number is free again."""
        run = self._runs.abandon(task)
        if run is not None:
            self._share_output()
            run.log.flush()
            run.log.close()
            executor = self._executors.pop(run.slot)
            self._abandoned = [each for each in self._abandoned if each.slot.thread.is_alive()]
            self._abandoned.append(run)
            with suppress(RuntimeError):  # the worker ends, and that has been said
                executor.submit(resources.close_own)  # if the thread ever comes to its end
            executor.shutdown(wait=False)
            heappush(self._numbers_left, run.slot.number)
            self._channel.send(Abandoned(task))

    def _new_slot(self) -> Slot:
        number = heappop(self._numbers_left) if self._numbers_left else next(self._numbers)
        slot = Slot(number, self._box.region())
        self._executors[slot] = ThreadPoolExecutor(1, f"slot-{number}", slot.bind_thread)
        return slot

    def _perform_in(self, slot: Slot, call: Call) -> None:
        is_done = False
        try:
            self._perform(call, slot)
            is_done = True
        finally:
            if not is_done:  # the executor would keep the error to itself
                exits.give_up()

    def _begin_output(self, run: Run) -> None:
        """Put descriptors 1 and 2 back, too, where no other call can have a use for its own."""
        if self._share_output() is run and self._output is not None:
            self._output.redirect()
        self._watch_streams(without=run)

    def _end_output(self, run: Run) -> None:
        self._share_output(without=run)
        self._watch_streams(without=run)

    def _on_tick(self, _logs: Collection[TaskLog]) -> None:
        self._share_output()
        self._watch_streams()

    def _watch_streams(self, without: Run | None = None) -> None:
        """Put our streams back when no call runs any more that may have put its own in place.

        One that ran when they were first seen may be within a `redirect_stdout`.
        """
        strange = capture.strange_streams()
        if strange is None and self._strange is None:
            return
        with self._sharing:
            running = {run for run in self._runs.running() if run is not without}
            if strange != self._strange:
                self._strange, self._suspects = strange, running
            self._suspects &= running
            if not self._suspects:
                capture.restore_streams()
                self._strange = None

    def _share_output(self, without: Run | None = None) -> Run | None:
        """Move what was written, and let what follows be of the call that runs alone, if one does.

        Of several it is not known which made it. Return that call.
        """
        with self._sharing:
            sole = self._runs.sole(without)
            self._turn_output(self._own_log if sole is None else sole.log)
        return sole

    def _free_slot(self, run: Run) -> None:
        """Make the slot idle; the next call may come as soon as this one's end is reported."""
        if not run.is_abandoned:
            self._idle.append(run.slot)

"""The one thread of a worker that sends what its running calls say."""

import time
from collections.abc import Callable
from threading import Event, Thread

from pooldeck.worker.task_log import TaskLog

_TICK = 0.1  # seconds between two sendings
_IDLE_TICK = 10.0  # seconds between two looks at the output file when nothing runs

_sleep = time.sleep  # kept, since tasks may replace time.sleep


class Flusher:
    """A thread that sends what open journals gather, ten times a second while anything runs.

    Args:
        look: Called at each tick with the open journals; it may add to them.
    """

    def __init__(self, look: Callable[[tuple[TaskLog, ...]], None]) -> None:
        self._look = look
        self._open: set[TaskLog] = set()
        self._work = Event()
        self._is_resting = False

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        Thread(target=self._run, name="pooldeck-flusher", daemon=True).start()

    def add(self, journal: TaskLog) -> None:
        """Care for a call's journal from now on."""
        self._open.add(journal)
        if self._is_resting:  # so that short calls in a row do not pay for waking a thread
            self._work.set()

    def discard(self, journal: TaskLog) -> None:
        """Leave a journal to its call, which ends."""
        self._open.discard(journal)

    def _run(self) -> None:
        while True:
            self._rest()
            _sleep(_TICK)  # first: a short call is over by then, and speaks for itself
            self._tick()

    def _rest(self) -> None:
        self._work.clear()
        self._is_resting = True  # before the look at the set: a call that begins now sets the event
        if not self._open:
            self._work.wait(_IDLE_TICK)
        self._is_resting = False

    def _tick(self) -> None:
        journals = tuple(self._open)
        self._look(journals)
        for journal in journals:
            journal.flush()

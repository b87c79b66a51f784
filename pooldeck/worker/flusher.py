"""The flusher of a worker: the one thread that sends the logs of its running calls."""

import time
from collections.abc import Callable, Collection
from threading import Event, Thread

from pooldeck.worker.task_log import TaskLog

_TICK = 0.1  # seconds
_IDLE_TICK = 10.0  # seconds, while nothing runs

_sleep = time.sleep  # kept, since tasks may replace time.sleep


class Flusher:
    """A thread that sends what open logs gather, ten times a second while anything runs.

    Args:
        on_tick: Called at each tick with the open logs; it may add to them.
    """

    def __init__(self, on_tick: Callable[[Collection[TaskLog]], None]) -> None:
        self._on_tick = on_tick
        self._open: set[TaskLog] = set()
        self._work = Event()
        self._is_resting = False

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        Thread(target=self._run, name="pooldeck-flusher", daemon=True).start()

    def add(self, log: TaskLog) -> None:
        """Send a call's log from now on."""
        self._open.add(log)
        if self._is_resting:  # so that short calls in a row do not pay for waking a thread
            self._work.set()

    def discard(self, log: TaskLog) -> None:
        """Leave a log to its call, which ends."""
        self._open.discard(log)

    def _run(self) -> None:
        while True:
            self._rest()
            _sleep(_TICK)  # first: a short call is over by then, and sends its log itself
            logs = tuple(self._open)
            self._on_tick(logs)
            for log in logs:
                log.flush()

    def _rest(self) -> None:
        self._work.clear()
        self._is_resting = True  # before the look at the set: a call that begins now sets the event
        if not self._open:
            self._work.wait(_IDLE_TICK)
        self._is_resting = False

"""The thread that sends what the logs of a worker gather."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

from pooldeck.worker.logs.task_log import OwnLog, TaskLog

_TICK: Final = 0.1  # seconds
_IDLE_TICK: Final = 10.0  # seconds, while nothing runs

_sleep = time.sleep  # kept, since tasks may replace time.sleep


class Flusher:
    """Sends what open logs gather, ten times a second while anything runs or is said.

    Before that it calls `on_tick` with them, which may add to them.
    """

    def __init__(self) -> None:
        self._open: set[TaskLog] = set()
        self._gate = Lock()  # closed while there is nothing to do; no Event, since code at odd
        self._gate.acquire()  # moments may wake it while its own thread does
        self._is_resting = False

    def start(self, own: OwnLog, on_tick: Callable[[Collection[TaskLog]], None]) -> None:
        """Start the thread; `own` is the worker's own log."""
        run = Thread(target=self._run, args=(own, on_tick), name="pooldeck-flusher", daemon=True)
        run.start()

    def add(self, log: TaskLog) -> None:
        self._open.add(log)
        self.wake()

    def discard(self, log: TaskLog) -> None:
        self._open.discard(log)

    def wake(self) -> None:
        """Have a tick soon, for what is said while nothing runs."""
        if self._is_resting:  # so that short calls in a row do not pay for waking a thread
            with suppress(RuntimeError):  # it is open already
                self._gate.release()

    def _run(self, own: OwnLog, on_tick: Callable[[Collection[TaskLog]], None]) -> None:
        while True:
            self._rest(own)
            _sleep(_TICK)  # first: a short call is over by then, and sends its log itself
            logs = tuple(self._open)
            on_tick(logs)
            for log in logs:
                log.flush()
            own.flush()

    def _rest(self, own: OwnLog) -> None:
        self._gate.acquire(blocking=False)
        self._is_resting = True  # before the look at the set: a call that begins now opens the gate
        if not (self._open or own.has_news):
            self._gate.acquire(timeout=_IDLE_TICK)
        self._is_resting = False

"""What the pool of a host tells, as frames for the server."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from pooldeck.hosts.wire import (
    Back,
    Began,
    Described,
    Died,
    Ended,
    FromHost,
    Logged,
    PoolIs,
    Progressed,
    Recovered,
    Watched,
    WorkerIs,
    WorkerSaid,
)
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.boxes import Boxes, EndsSeen
from pooldeck.pools.listener import Death, PoolListener, RunningCall
from pooldeck.pools.pool import Pool
from pooldeck.protocol import Call, LogLine, Progress

Send = Callable[[FromHost, str | None], None]
"""Sends a frame that does not overtake those with the same key."""

_SOON: Final = 0.02  # seconds in which changes of the pool are told together


class HostReporter(PoolListener):
    """Tells the server what happens in a pool.

    Args:
        send: Takes what is to be told.
        boxes: Those of the pool's workers.
        has_room: Called when the pool may take a call.
        later: Has something called after some seconds, on the event loop.
    """

    def __init__(
        self,
        send: Send,
        boxes: Boxes,
        has_room: Callable[[], None],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self.pool: Pool
        self._send = send
        self._boxes = boxes
        self._has_room = has_room
        self._later = later
        self._is_due = False
        self._ends = 0
        self._uncommitted = deque[tuple[int, str, int]]()  # end, worker, how many of its ends
        self._leaving = deque[tuple[int, str]]()  # the last end before a worker was gone, and it
        self._left = set[str]()

    def started(self, run: RunningCall) -> None:
        ago = _ago(run.started_at)
        call = run.call
        began = Began(call.task, call.attempt, run.worker, run.pid, run.thread, ago or 0.0)
        self._send(began, call.task)

    def progressed(self, progress: Progress) -> None:
        self._send(Progressed(progress), progress.task)

    def logged(self, task: str, lines: list[LogLine]) -> None:
        self._send(Logged(task, lines, time.time()), task)

    def worker_said(self, worker: str, lines: list[LogLine]) -> None:
        self._send(WorkerSaid(worker, lines, time.time()), None)

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        self._ended(run, outcome, is_late=False)

    def abandoned_ended(self, run: RunningCall, outcome: Outcome) -> None:
        self._ended(run, outcome, is_late=True)

    def _ended(self, run: RunningCall, outcome: Outcome, *, is_late: bool) -> None:
        call = run.call
        self._ends += 1
        if (number := self._boxes.ends_of(run.worker)) > 0:
            self._uncommitted.append((self._ends, run.worker, number))
        ended = Ended(
            *(call.task, call.attempt, outcome, run.worker, run.pid, run.thread),
            _ago(run.started_at),
            is_abandoned=run.is_abandoned,
            end=self._ends,
            is_late=is_late,
        )
        self._send(ended, call.task)

    def refused(self, call: Call) -> None:
        """Say that a call was killed which no worker had yet."""
        self._ends += 1
        cancelled = Outcome(cancelled=True)
        ended = Ended(call.task, call.attempt, cancelled, "", 0, None, None, end=self._ends)
        self._send(ended, call.task)

    def observed(self, observations: list[Observation]) -> None:
        self._send(Watched(observations), None)

    def returned(self, calls: list[Call]) -> None:
        for call in calls:
            self._send(Back([(call.task, call.attempt)]), call.task)

    def died(self, death: Death) -> None:
        culprits = (death.culprit, *death.suspects, *death.bystanders)
        key = next((call.task for call in culprits if call is not None), None)
        self._send(Died(death, _ago(death.detected_at) or 0.0), key)

    def recovered(self, worker: str, seconds: float) -> None:
        self._send(Recovered(worker, seconds), None)

    def described(self, worker: str, code: LoadedCode) -> None:
        self._send(Described(worker, code), "the code of workers")

    def has_room(self) -> None:
        self._has_room()

    def changed(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._later(_SOON, self.tell_pool)

    def tell_pool(self) -> None:
        """Tell how the pool is at this moment."""
        self._is_due = False
        for worker in self._boxes.ends().gone - self._left:
            self._left.add(worker)
            self._leaving.append((self._ends, worker))
        now = time.monotonic()
        workers = [
            WorkerIs(
                *(each.id, each.pid, each.state, now - each.started_at, each.slots),
                each.tasks_done,
                each.is_open,
            )
            for each in self.pool.workers.values()
        ]
        pool = self.pool
        told = PoolIs(pool.state, pool.reason, pool.is_given_up, workers)
        self._send(told, "the code of workers")

    def kept(self, ends: int) -> EndsSeen:
        """Return what the workers need not keep, as so many ends are on record."""
        numbers: dict[str, int] = {}
        while self._uncommitted and self._uncommitted[0][0] <= ends:
            _, worker, number = self._uncommitted.popleft()
            numbers[worker] = number
        gone = set[str]()
        while self._leaving and self._leaving[0][0] <= ends:
            gone.add(self._leaving.popleft()[1])
        self._left -= gone
        return EndsSeen(numbers, frozenset(gone))


def _ago(moment: float | None) -> float | None:
    return None if moment is None else max(0.0, time.monotonic() - moment)

"""An attempt while a worker has it, and what its reports become: a start, an end."""

import asyncio
import random
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.pools.listener import RunningCall
from pooldeck.protocol import Call
from pooldeck_server.domain.clock import Clock, seconds, span
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.tasks.changes import End, Rerun, Start
from pooldeck_server.domain.tasks.reruns import rerun_at
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.recording.log_format import Origin
from pooldeck_server.runtime.recording.spans import AttemptSpan
from pooldeck_server.runtime.tasks.attempt_log import AttemptLog

Answer = Literal["started", "ended", "returned"]
"""What became of an attempt that was asked to end itself while nobody knew whether it had begun."""

_LOST: Final = frozenset({ErrorKind.BYSTANDER, ErrorKind.INTERRUPTED, ErrorKind.HOST_LOST})
_to_json = msgspec.json.Encoder().encode


class RunningAttempt(Struct):
    """A task in a worker's hands. `started_at` is in microseconds since the epoch."""

    task: QueuedTask
    number: int
    options: RunOptions
    handed_at: float = 0.0  # a moment of the monotonic clock
    started_at: int | None = None
    worker: str = ""  # where it started
    span: AttemptSpan | None = None  # where it is traced
    log: AttemptLog | None = None  # once it has said anything
    fraction: float | None = None  # how much of it is done, as it says
    is_asked: bool = False  # to end itself, by hand: it is not run again then
    answers: "tuple[asyncio.Future[Answer], ...]" = ()

    @classmethod
    def next_of(cls, task: QueuedTask, handed_at: float = 0.0) -> "RunningAttempt":
        return cls(task, task.attempt + 1, RunOptions.from_json(task.options), handed_at)

    def call(self) -> Call:
        task = self.task
        return Call(
            task.id,
            self.number,
            task.function,
            task.args.encode(),
            task.kwargs.encode(),
            self.options.timeout,
            None if self.span is None else self.span.carrier,
        )

    def begin(self, run: RunningCall, clock: Clock) -> None:
        """Note its start, if the worker reported one."""
        if run.started_at is not None:
            since = clock.monotonic() - run.started_at
            self.started_at = clock.now() - span(since)

    def request_end(self) -> "asyncio.Future[Answer]":
        """Note that it was asked to end itself; return what is told when more is known of it."""
        self.is_asked = True
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.answers = (*self.answers, answer)
        return answer

    def resolve_waiters(self, news: Answer) -> bool:
        """Tell those who asked what became of it; return whether there was anybody."""
        waiting = [answer for answer in self.answers if not answer.done()]
        for answer in waiting:
            answer.set_result(news)
        self.answers = ()
        return bool(waiting)

    @property
    def _queued_seconds(self) -> float | None:
        if self.started_at is None:
            return None
        return max(0.0, seconds(self.started_at - self.task.ready_at))

    def start(self, run: RunningCall) -> Start:
        return Start(
            seq=self.task.seq,
            attempt=self.number,
            started_at=self.started_at or 0,
            queued_seconds=self._queued_seconds or 0.0,
            worker=run.worker,
            pid=run.pid,
            thread=run.thread,
        )

    def origin(self, pool: str) -> Origin:
        return Origin(pool, self.worker, self.task.id, self.number, self.task.function)

    def end(self, run: RunningCall, outcome: Outcome, seconds: float, finished_at: int) -> End:
        """Return how it ended (`finished_at` in microseconds since the epoch) as a record."""
        error, measurement = outcome.error, outcome.measurement
        return End(
            seq=self.task.seq,
            attempt=self.number,
            state=_final_state(outcome),
            finished_at=finished_at,
            started_at=self.started_at,
            queued_seconds=self._queued_seconds,
            run_seconds=seconds if self.started_at else None,
            cpu_seconds=measurement.cpu if measurement else None,
            worker=run.worker,
            pid=run.pid,
            thread=run.thread,
            error_kind=error.kind.value if error else None,
            result=outcome.result.decode() if outcome.result is not None else None,
            error=_to_json(error).decode() if error else None,
            measurement=_to_json(measurement).decode() if measurement else None,
            error_group=group_of(error, self.task.function).id if error else None,
        )

    def rerun(self, end: End, error: Error | None) -> Rerun | None:
        """Return the rerun that follows its end, if the task goes on by itself."""
        if error is None or self.is_asked:
            return None
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads reruns, keeps no secret
        run_at = rerun_at(self.options, self.task.reruns, error.kind, end.finished_at, jitter)
        return None if run_at is None else Rerun(end, run_at)


def _final_state(outcome: Outcome) -> State:
    if outcome.cancelled:
        return State.CANCELLED
    if outcome.error is None:
        return State.SUCCEEDED
    return State.LOST if outcome.error.kind in _LOST else State.FAILED

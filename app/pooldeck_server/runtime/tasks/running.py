"""The tasks that a pool's workers have in hand: what the pool reports of them becomes records.

It listens to one pool. Starts, ends and log lines go to the recorder, deaths to the incidents; what
concerns the queue (room, calls that come back) goes to the dispatcher.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from pooldeck.kinds import Ending, PoolKind
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Error, ErrorKind, Observation, Outcome
from pooldeck.pools.listener import Death, PoolListener, RunningCall
from pooldeck.pools.port import PoolPort
from pooldeck.protocol import Call, LogLine, Progress
from pooldeck_server import failpoints
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.failures.outside_ends import MEANWHILE, names_signal, told_of_outside
from pooldeck_server.domain.pools.controls import CutOffTask
from pooldeck_server.domain.tasks.changes import End, ProgressMark, Rerun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.spans import Spans
from pooldeck_server.runtime.tasks.attempts import RunningAttempt
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.incidents import Incidents
from pooldeck_server.runtime.tasks.logs import Logs
from pooldeck_server.runtime.tasks.prefetch import LONGEST_WAIT, PATIENCE
from pooldeck_server.runtime.tasks.profiles import Profiles

_check_json: Final = msgspec.json.Decoder(msgspec.Raw).decode
_ANSWER_SECONDS: Final = 2.0  # for a worker to say whether a call that it was handed has begun


@dataclass(kw_only=True, eq=False)
class RunningTasks(PoolListener):
    """The listener of one pool."""

    pool: str
    kind: PoolKind
    recorder: Recorder
    clock: Clock
    durations: RecentDurations
    profiles: Profiles
    incidents: Incidents
    functions: Functions
    logs: Logs
    spans: Spans | None = None  # what makes them, where there are traces
    is_closing: Callable[[], bool]  # tells whether the server was told to end
    on_room: Callable[[], None]  # told that a slot may be free
    on_return: Callable[[Sequence[QueuedTask]], None]  # given tasks that no worker started
    on_workers: Callable[[], None]  # told that something about the workers changed
    on_change: Callable[[], None]  # told that the pool's picture changed
    on_ends: Callable[[], None]  # told that ends were given to the recorder
    cut_off: list[CutOffTask] = field(init=False, default_factory=list)  # by the server's end
    _attempts: dict[str, RunningAttempt] = field(init=False, default_factory=dict)
    _abandoned: dict[tuple[str, int], RunningAttempt] = field(init=False, default_factory=dict)
    _long: set[str] = field(init=False, default_factory=set)  # tasks known to take long, or do
    # What this turn of the loop brought:
    _begun: dict[str, RunningCall] = field(init=False, default_factory=dict)
    _ended: list[End] = field(init=False, default_factory=list)
    _reruns: list[Rerun] = field(init=False, default_factory=list)
    _became: dict[str, State] = field(init=False, default_factory=dict)  # that lost their worker
    _is_reporting: bool = field(init=False, default=False)
    _has_room: bool = field(init=False, default=False)

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._attempts

    def seqs(self) -> Iterable[int]:
        return (attempt.task.seq for attempt in self._attempts.values())

    def lingering(self, workers: Collection[str]) -> set[int]:
        """Return the tasks that were abandoned, and whose threads may run on in these workers."""
        return {each.task.seq for each in self._abandoned.values() if each.worker in workers}

    @property
    def held(self) -> int:
        """Return how many calls keep their slots for long, as far as is known."""
        now = self.clock.monotonic()
        for task_id, attempt in self._attempts.items():  # the first is the one handed over first
            seconds = now - attempt.handed_at
            if seconds < PATIENCE:
                break
            if attempt.started_at is not None or seconds >= LONGEST_WAIT:
                self._long.add(task_id)
        return len(self._long)

    def fraction(self, task_id: str) -> float | None:
        attempt = self._attempts.get(task_id)
        return attempt.fraction if attempt else None

    # What goes out.

    def hand(self, task: QueuedTask, pool: PoolPort, takers: Collection[str] | None = None) -> bool:
        """Give a claimed task to the pool, and there to one of the `takers` if they are named.

        Returns:
            Whether there was room for it.
        """
        attempt = RunningAttempt.next_of(task, self.clock.monotonic())
        is_quick = self.durations.is_quick(task.function)
        if self.spans is not None:
            attempt.span = self.spans.begin(task, attempt.number)
        if not pool.post(attempt.call(), is_quick=is_quick, among=takers):
            return False
        self._attempts[task.id] = attempt
        if not is_quick and (self.durations.work(task.function) or PATIENCE) >= PATIENCE:
            self._long.add(task.id)
        failpoints.reach("after_handout")
        return True

    async def stop(
        self, task_id: str, pool: PoolPort, *, kill: bool
    ) -> QueuedTask | Literal["cancel_requested"] | Ending | None:
        """Ask a task in hand to end itself, or end it.

        Returns:
            What was done, and how it ends if it was killed; the task itself, still claimed, if no
            worker has started it and none will; None if it has just ended.
        """
        attempt = self._attempts[task_id]
        if not kill or attempt.started_at is None:
            news = await self._cancel(attempt, pool)
            if news == "returned":
                return attempt.task
            if news == "ended":
                return None
        if not kill:
            return "cancel_requested"
        attempt.is_asked = True  # it is not run again either if its host is lost before
        return pool.kill(task_id)

    async def _cancel(self, attempt: RunningAttempt, pool: PoolPort) -> str:
        answer = attempt.request_end()
        if not pool.cancel(attempt.task.id):
            return "ended"
        if attempt.started_at is not None:
            return "started"
        done, _ = await asyncio.wait([answer], timeout=_ANSWER_SECONDS)
        return answer.result() if done else "started"

    # What the pool reports.

    def has_room(self) -> None:
        """Pass it on, once for all that this turn of the event loop brings."""
        if not self._has_room:
            self._has_room = True
            asyncio.get_running_loop().call_soon(self._pass_on_room)

    def _pass_on_room(self) -> None:
        self._has_room = False
        self.on_room()

    def started(self, run: RunningCall) -> None:
        """Note a start, to be recorded with what else this turn of the event loop brings."""
        if (attempt := self._attempts.get(run.call.task)) is not None:
            attempt.begin(run, self.clock)
            attempt.worker = run.worker
            attempt.resolve_waiters("started")
            self._begun[run.call.task] = run
            self._report_soon()

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        """Note an end, to be recorded with what else this turn of the event loop brings."""
        task_id = run.call.task
        attempt = self._take(task_id)
        if attempt is None:
            return
        outcome = with_json(outcome)
        if self._begun.pop(task_id, None) is None and attempt.started_at is None:
            attempt.begin(run, self.clock)
        if self.is_closing():
            outcome = self._tell_of_end(attempt, outcome)
        now = self.clock.monotonic()
        seconds = now - (run.started_at or now)
        if outcome.measurement is not None:
            seconds = outcome.measurement.run
            self.durations.add_run(attempt.task.function, outcome.measurement)
            self.profiles.add_measurement(attempt.task.function, self.kind, outcome.measurement)
        end = attempt.end(run, outcome, seconds, self.clock.now())
        self._add_end(attempt, end, outcome)
        if self.spans is not None and attempt.span is not None:
            self.spans.end(attempt.span, attempt.task, end)
        self.logs.end(self.pool, attempt)
        if run.is_abandoned:
            self._abandoned[task_id, attempt.number] = attempt
        attempt.resolve_waiters("ended")
        self._report_soon()

    def _take(self, task_id: str) -> RunningAttempt | None:
        self._long.discard(task_id)
        return self._attempts.pop(task_id, None)

    def _tell_of_end(self, attempt: RunningAttempt, outcome: Outcome) -> Outcome:
        """Say of a failure that the server is ending: that may be why it failed."""
        if outcome.error is None or outcome.error.kind is not ErrorKind.EXCEPTION:
            return outcome
        if names_signal(outcome.error):
            return replace(outcome, error=told_of_outside(outcome.error))
        self.logs.note(self.pool, attempt, MEANWHILE)
        return outcome

    def _add_end(self, attempt: RunningAttempt, end: End, outcome: Outcome) -> None:
        rerun = attempt.rerun(end, outcome.error)
        if rerun is None:
            self._ended.append(end)
        else:
            self._reruns.append(rerun)
        if outcome.error is not None:
            became = end.state if rerun is None else rerun.state
            self._became[attempt.task.id] = became
            if outcome.error.kind is ErrorKind.INTERRUPTED:
                self.cut_off.append(CutOffTask(attempt.task.id, attempt.task.function, became))

    def _report_soon(self) -> None:
        if not self._is_reporting:
            self._is_reporting = True
            asyncio.get_running_loop().call_soon(self.report)

    def report(self) -> None:
        """Record the starts that have not ended yet, and the ends."""
        self._is_reporting = False
        if self._ended or self._reruns:
            self.on_ends()
        starts = [self._attempts[task].start(run) for task, run in self._begun.items()]
        self.recorder.record_results(starts, self._ended, self._reruns)
        self._begun, self._ended, self._reruns = {}, [], []
        self._became = {}
        self.on_change()

    def progressed(self, progress: Progress) -> None:
        if (attempt := self._attempts.get(progress.task)) is not None:
            attempt.fraction = progress.fraction
            self.recorder.record_progress(
                ProgressMark(
                    seq=attempt.task.seq,
                    attempt=attempt.number,
                    fraction=progress.fraction,
                    message=progress.message,
                )
            )
            self.on_change()

    def logged(self, task: str, lines: list[LogLine]) -> None:
        attempt = self._attempts.get(task) or self._abandoned_attempt(task)
        if attempt is not None:
            self.logs.add(self.pool, attempt, lines)

    def _abandoned_attempt(self, task: str) -> RunningAttempt | None:
        """Return the latest of a task that was abandoned: what it said until then comes late."""
        abandoned = reversed(self._abandoned.items())
        return next((attempt for (of, _), attempt in abandoned if of == task), None)

    def worker_said(self, worker: str, lines: list[LogLine]) -> None:
        self.logs.add_of_worker(self.pool, worker, lines)

    def observed(self, observations: list[Observation]) -> None:
        self.profiles.add_observations(self.kind, observations)

    def returned(self, calls: list[Call]) -> None:
        """Let tasks that no worker started go back to the queue, or to whoever asked for them."""
        tasks = []
        for call in calls:
            attempt = self._take(call.task)
            if attempt is not None and not attempt.resolve_waiters("returned"):
                tasks.append(attempt.task)
        self.on_return(tasks)

    def abandoned_ended(self, run: RunningCall, outcome: Outcome) -> None:
        """Note in its log that an abandoned thread came to its end."""
        attempt = self._abandoned.pop((run.call.task, run.call.attempt), None)
        if attempt is not None:
            self.logs.note(self.pool, attempt, _late(run, outcome, self.clock.monotonic()))
        self.on_change()

    def died(self, death: Death) -> None:
        self.incidents.add_death(self.pool, death, self._became)

    def recovered(self, worker: str, seconds: float) -> None:
        self.incidents.add_recovery(worker, seconds)

    def described(self, worker: str, code: LoadedCode) -> None:
        self.functions.add_report(self.pool, worker, code)

    def changed(self) -> None:
        self.on_workers()


def with_json(outcome: Outcome) -> Outcome:
    """Return an outcome whose result can be kept: a task may forge one in its worker's name."""
    try:
        if outcome.result is not None:
            outcome.result.decode()
            _check_json(outcome.result)
    except ValueError as error:
        words = f"its worker reported a result that is no JSON: {error}"
        return replace(outcome, result=None, error=Error(ErrorKind.BAD_RESULT, "ValueError", words))
    return outcome


def _late(run: RunningCall, outcome: Outcome, now: float) -> str:
    """Say what an abandoned call came to in the end."""
    seconds = now - (run.started_at or now)
    came_to = "a result" if outcome.error is None else f"{outcome.error.type}"
    return f"the abandoned thread ended after {seconds:.1f} s with {came_to}, which is discarded"

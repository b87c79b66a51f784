"""The tasks that a pool's workers have in hand: what the pool reports of them becomes records.

It listens to one pool. Starts, ends and log lines go to the recorder, deaths to the incidents; what
concerns the queue (room, calls that come back) goes to the dispatcher.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from pooldeck.functions import FunctionSpec
from pooldeck.kinds import Ending, PoolKind
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.model import Death, Running, Worker
from pooldeck.pools.pool import Pool
from pooldeck.protocol import Call, LogLine, Progress
from pooldeck_server import failpoints
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.tasks.changes import End, ProgressMark, Rerun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.attempts import RunningAttempt
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.incidents import Incidents
from pooldeck_server.runtime.tasks.profiles import Profiles

_ANSWER_SECONDS: Final = 2.0  # for a worker to say whether a call that it was handed has begun


class RunningTasks:
    """The listener of one pool.

    Args:
        pool: Its name.
        kind: Its kind.
        recorder: Where starts, ends and log lines go.
        clock: The server's time.
        usual: Learns how long functions take.
        profiles: Learns what they cost, and what they do meanwhile.
        incidents: Where deaths go.
        log_file: Where log lines go as well, if there is one.
        on_room: Told that a slot may be free.
        on_return: Given tasks that no worker started after all.
        on_functions: Told which functions a worker of the pool reports.
        on_change: Told that the pool's picture changed.
    """

    def __init__(
        self,
        pool: str,
        kind: PoolKind,
        *,
        recorder: Recorder,
        clock: Clock,
        usual: RecentDurations,
        profiles: Profiles,
        incidents: Incidents,
        log_file: LogFile | None,
        on_room: Callable[[], None],
        on_return: Callable[[Sequence[QueuedTask]], None],
        on_functions: Callable[[list[FunctionSpec]], None],
        on_change: Callable[[], None],
    ) -> None:
        self._pool_name = pool
        self._kind = kind
        self._recorder = recorder
        self._clock = clock
        self._usual = usual
        self._profiles = profiles
        self._incidents = incidents
        self._log_file = log_file
        self._on_functions = on_functions
        self._on_change = on_change
        self._attempts: dict[str, RunningAttempt] = {}
        self._abandoned: dict[tuple[str, int], RunningAttempt] = {}
        self._begun: dict[str, tuple[Worker, Running]] = {}  # in this turn of the loop
        self._ended: list[End] = []  # in this turn, too
        self._reruns: list[Rerun] = []
        self._became: dict[str, State] = {}  # tasks that just lost their worker
        self._is_reporting = False
        self.has_room = on_room
        self._on_return = on_return

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._attempts

    def seqs(self) -> Iterable[int]:
        """Yield the numbers of the tasks in hand."""
        return (attempt.task.seq for attempt in self._attempts.values())

    def fraction(self, task_id: str) -> float | None:
        """Return how much of a task in hand is done, if it has said so."""
        attempt = self._attempts.get(task_id)
        return attempt.fraction if attempt else None

    # What goes out.

    def hand(self, task: QueuedTask, pool: Pool) -> bool:
        """Give a claimed task to the pool; return whether there was room for it."""
        attempt = RunningAttempt.next_of(task)
        if not pool.post(attempt.call(), is_quick=self._usual.is_quick(task.function)):
            return False
        self._attempts[task.id] = attempt
        failpoints.reach("after_handout")
        return True

    async def stop(
        self, task_id: str, pool: Pool, *, kill: bool
    ) -> QueuedTask | Literal["cancel_requested"] | Ending | None:
        """Ask a task in hand to end itself, or end it.

        Returns:
            What was done, and how it ends if it was killed; the task itself, still claimed, if no
            worker has started it and none will; None if it has just ended.
        """
        attempt = self._attempts[task_id]
        if not kill or attempt.started_at is None:
            news = await self._ask(attempt, pool)
            if news == "returned":
                return attempt.task
            if news == "ended":
                return None
        return pool.kill(task_id) if kill else "cancel_requested"

    async def _ask(self, attempt: RunningAttempt, pool: Pool) -> str:
        answer = attempt.ask()
        if not pool.cancel(attempt.task.id):
            return "ended"
        if attempt.started_at is not None:
            return "started"
        done, _ = await asyncio.wait([answer], timeout=_ANSWER_SECONDS)
        return answer.result() if done else "started"

    # What the pool reports.

    def started(self, worker: Worker, running: Running) -> None:
        """Note a start, to be recorded with what else this turn of the event loop brings."""
        if (attempt := self._attempts.get(running.call.task)) is not None:
            attempt.begin(running, self._clock)
            attempt.worker = worker.id
            attempt.resolve_waiters("started")
            self._begun[running.call.task] = (worker, running)
            self._report_soon()

    def finished(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """Note an end, to be recorded with what else this turn of the event loop brings."""
        task_id = running.call.task
        attempt = self._attempts.pop(task_id, None)
        if attempt is None:
            return
        if self._begun.pop(task_id, None) is None and attempt.started_at is None:
            attempt.begin(running, self._clock)
        now = self._clock.monotonic()
        run = now - (running.started_at or now)
        if outcome.measurement is not None:
            run = outcome.measurement.run
            self._usual.add_run(attempt.task.function, outcome.measurement)
            self._profiles.add_measurement(attempt.task.function, self._kind, outcome.measurement)
        self._note_end(
            attempt, attempt.end(worker, running, outcome, run, self._clock.now()), outcome
        )
        if task_id in worker.abandoned:
            self._abandoned[task_id, attempt.number] = attempt
        attempt.resolve_waiters("ended")
        self._report_soon()

    def _note_end(self, attempt: RunningAttempt, end: End, outcome: Outcome) -> None:
        rerun = attempt.rerun(end, outcome.error)
        if rerun is None:
            self._ended.append(end)
        else:
            self._reruns.append(rerun)
        if outcome.error is not None:
            self._became[attempt.task.id] = end.state if rerun is None else rerun.state

    def _report_soon(self) -> None:
        if not self._is_reporting:
            self._is_reporting = True
            asyncio.get_running_loop().call_soon(self.report)

    def report(self) -> None:
        """Record the starts that have not ended yet, and the ends."""
        self._is_reporting = False
        starts = [self._attempts[task].start(*begun) for task, begun in self._begun.items()]
        self._recorder.record_results(starts, self._ended, self._reruns)
        self._begun, self._ended, self._reruns = {}, [], []
        self._became = {}
        self._on_change()

    def progressed(self, progress: Progress) -> None:
        """Record how far a task is."""
        if (attempt := self._attempts.get(progress.task)) is not None:
            attempt.fraction = progress.fraction
            self._recorder.progressed(
                ProgressMark(
                    seq=attempt.task.seq,
                    attempt=attempt.number,
                    fraction=progress.fraction,
                    message=progress.message,
                )
            )
            self._on_change()

    def logged(self, task: str, lines: list[LogLine]) -> None:
        """Record log lines."""
        if (attempt := self._attempts.get(task)) is not None:
            self._log(attempt, lines)

    def _log(self, attempt: RunningAttempt, lines: list[LogLine]) -> None:
        self._recorder.logged(attempt.entries(lines))
        if self._log_file is not None:
            self._log_file.take(attempt.origin(self._pool_name), lines)

    def observed(self, observations: list[Observation]) -> None:
        """Take down what running calls were seen to do."""
        self._profiles.add_observations(self._kind, observations)

    def returned(self, calls: list[Call]) -> None:
        """Let tasks that no worker started go back to the queue, or to whoever asked for them."""
        tasks = []
        for call in calls:
            attempt = self._attempts.pop(call.task, None)
            if attempt is not None and not attempt.resolve_waiters("returned"):
                tasks.append(attempt.task)
        self._on_return(tasks)

    def abandoned_ended(
        self,
        worker: Worker,  # noqa: ARG002 - as the pool tells it
        running: Running,
        outcome: Outcome,
    ) -> None:
        """Note in its log that an abandoned thread came to its end."""
        attempt = self._abandoned.pop((running.call.task, running.call.attempt), None)
        if attempt is not None:
            now = self._clock.now()
            words = _late(running, outcome, self._clock.monotonic())
            line = LogLine(now / 1e6, "WARNING", "pooldeck", words)
            self._log(attempt, [line])
        self._on_change()

    def died(self, death: Death) -> None:
        """Keep what is known of a worker's death."""
        self._incidents.died(self._pool_name, death, self._became)

    def recovered(self, worker: str, seconds: float) -> None:
        """Note how long the pool took to be whole again."""
        self._incidents.recovered(worker, seconds)

    def described(self, functions: list[FunctionSpec]) -> None:
        """Pass on which functions a worker has."""
        self._on_functions(functions)

    def changed(self) -> None:
        """Pass on that the pool's health changed."""
        self._on_change()


def _late(running: Running, outcome: Outcome, now: float) -> str:
    """Say what an abandoned call came to in the end."""
    seconds = now - (running.started_at or now)
    came_to = "a result" if outcome.error is None else f"{outcome.error.type}"
    return f"the abandoned thread ended after {seconds:.1f} s with {came_to}, which is discarded"

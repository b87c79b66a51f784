"""What runs when: at once what may, and at `drain` what waits for a time.

No time passes. A delay is over when somebody drains, and the pause before a rerun at once.
"""

import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

import msgspec
from msgspec import UNSET

from pooldeck.client.errors import ClientError, refusal
from pooldeck.client.future import RemoteFuture
from pooldeck.context import CurrentTask
from pooldeck.outcome import ErrorKind
from pooldeck.protocol import Limits
from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.errors import (
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    PooldeckError,
)
from pooldeck_server.domain.tasks import references
from pooldeck_server.domain.tasks.dependencies import Rule
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.needs import checked_needs
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.inline.functions import InlineFunctions
from pooldeck_server.inline.running import attempt
from pooldeck_server.inline.task import InlineTask
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import read_batch
from pooldeck_server.web.http.errors import STATUS

_MOST: Final = 10_000  # tasks of one drain: more of them submit each other for ever
_CHOOSABLE: Final = ("timeout", "retries", "needs")
_WORKER_LIMITS: Final = Limits()
_decode = msgspec.json.Decoder().decode


class InlineEngine:
    """The tasks of a double."""

    def __init__(self, functions: InlineFunctions) -> None:
        self.tasks: dict[str, InlineTask] = {}
        self._functions = functions
        self._limits = LimitSettings()
        self._ids = TaskIds(SystemClock())
        self._keys: dict[str, InlineTask] = {}
        self._lock = Lock()  # of who runs a task; nobody holds it while it runs

    def submit(self, future: RemoteFuture[Any]) -> None:
        """Take a submission: it runs now, unless it waits for a time or for others."""
        if not future.send():
            return
        if lost := [need for need in future.needs if need.task_id is None]:
            function = lost[0].function
            future.end_failed(ClientError(f"what it comes after was not stored: {function}"))
            return
        future.put_ids()
        try:
            [submission] = read_batch(b'{"tasks":[%b]}' % future.body, self._limits)
            task, is_new = self._stored(submission)
        except PooldeckError as error:
            future.end_failed(refused(error))
            return
        future.has_id(task.id)
        self.attach(task, future)
        if is_new:
            self._advance(task)

    def submit_all(self, body: bytes) -> list[str]:
        """Take the body of a batch: all of it, or nothing; return the ids.

        Raises:
            PooldeckError: If one of them is refused.
        """
        submissions = read_batch(body, self._limits)
        for each in submissions:
            self._checked(each)
        stored = [self._stored(each) for each in submissions]
        for task, is_new in stored:
            if is_new:
                self._advance(task)
        return [task.id for task, _ in stored]

    def attach(self, task: InlineTask, future: RemoteFuture[Any]) -> None:
        """Let a future wait for the end of a task."""
        task.futures.append(future)
        if task.has_ended:
            task.tell()

    def get(self, task_id: str) -> InlineTask:
        """Return a task.

        Raises:
            NotFound: If there is none.
        """
        if task_id not in self.tasks:
            raise NotFound(f"there is no task {task_id}")
        return self.tasks[task_id]

    def drain(self) -> list[InlineTask]:
        """Run all that waits, by its time, and what that submits; return what ran.

        Raises:
            RuntimeError: If it does not end, as where tasks submit each other.
        """
        ran: list[InlineTask] = []
        while waiting := [task for task in self.tasks.values() if self._may_run(task)]:
            if len(ran) >= _MOST:
                raise RuntimeError(f"{_MOST:,} tasks have run, and more wait: do they submit more?")
            task = min(waiting, key=lambda each: each.due or each.created_at)
            self._run(task)
            ran.append(task)
        return ran

    def cancel(self, task_id: str) -> dict[str, Any]:
        """Cancel a task that has not run; return what that did, as the API has it."""
        task = self.get(task_id)
        if task.has_ended:
            return {"outcome": "already_ended", "task": task.record()}
        if task.state is State.RUNNING:
            return {"outcome": "cancel_requested", "task": task.record()}
        self._end(task, State.CANCELLED)
        return {"outcome": "cancelled", "task": task.record()}

    def retry(self, task_id: str) -> InlineTask:
        """Run a task that has ended once more.

        Raises:
            Conflict: If it has not ended.
        """
        task = self.get(task_id)
        if not task.has_ended:
            raise Conflict(f"the task has not ended: it is {task.state}")
        self._run(task, FINAL)
        return task

    def _stored(self, submission: Submission) -> tuple[InlineTask, bool]:
        """Return the task of a submission, and whether it is new; it is checked as by the server.

        Raises:
            PooldeckError: If it is refused.
        """
        key = submission.idempotency_key
        if key is not None and (known := self._keys.get(key)) is not None:
            if msgspec.json.encode(known.submission) != msgspec.json.encode(submission):
                raise IdempotencyMismatch(f"the key {key} stands for another task")
            return known, False
        task = self._checked(submission)
        self.tasks[task.id] = task
        if key is not None:
            self._keys[key] = task
        return task, True

    def _checked(self, submission: Submission) -> InlineTask:
        function, _ = self._functions.wanted(submission.function)
        args, kwargs = _decode(submission.args), _decode(submission.kwargs)
        refers = submission.may_come_after
        function.check(args, kwargs, pool=submission.pool, with_references=refers)
        if submission.delay is not None and submission.run_at is not None:
            raise InvalidRequest("delay and run_at exclude each other", field="/run_at")
        chosen = {name: getattr(submission, name) for name in _CHOOSABLE}
        given = {name: value for name, value in chosen.items() if value not in (None, UNSET)}
        if "needs" in given:
            given["needs"] = checked_needs(given["needs"])
        return InlineTask(
            self._ids.next(),
            submission,
            function,
            msgspec.structs.replace(function.run_options, **given),
            datetime.now(UTC),
            self._needs(submission, [args, kwargs]),
        )

    def _needs(self, submission: Submission, arguments: Any) -> dict[str, Rule]:
        """Return the tasks that one comes after.

        Raises:
            InvalidRequest: If there is no such task.
        """
        needs = {
            each.task: each.on_failure or submission.on_failure for each in submission.comes_after
        }
        for name in references.names_in(arguments):
            needs.setdefault(name, submission.on_failure)
        for name in needs:
            if name not in self.tasks:
                raise InvalidRequest(f"there is no task {name}, which this one comes after")
        return needs

    def _advance(self, task: InlineTask) -> None:
        """Run a task, or stop it, if that is due without waiting for a time."""
        if self._is_stopped(task):
            self._end(task, State.CANCELLED)
        elif self._may_run(task) and (task.due is None or task.due <= datetime.now(UTC)):
            self._run(task)

    def _may_run(self, task: InlineTask) -> bool:
        return task.state is State.SCHEDULED and all(
            self.tasks[name].has_ended for name in task.needs
        )

    def _is_stopped(self, task: InlineTask) -> bool:
        return any(
            rule is Rule.STOP and before.has_ended and before.state is not State.SUCCEEDED
            for before, rule in ((self.tasks[name], rule) for name, rule in task.needs.items())
        )

    def _run(self, task: InlineTask, among: Collection[State] = (State.SCHEDULED,)) -> None:
        """Make attempts until one succeeds, or no retry is left; `among` are its states before."""
        _, function = self._functions.wanted(task.submission.function)
        if not self._claim(task, among):
            return
        task.result = task.error = None
        for left in range(task.options.retries, -1, -1):
            task.started_at = datetime.now(UTC)
            task.attempt += 1
            ended = attempt(function, _current(task), *self._arguments(task), _WORKER_LIMITS)
            task.result, task.error = ended.result, ended.error
            if ended.error is None or ended.error.kind is not ErrorKind.EXCEPTION or not left:
                break
        self._end(task, State.FAILED if task.error else State.SUCCEEDED)

    def _claim(self, task: InlineTask, among: Collection[State]) -> bool:
        """Take a task to run it; False if another thread has done so."""
        with self._lock:
            if task.state not in among:
                return False
            task.state = State.RUNNING
            return True

    def _arguments(self, task: InlineTask) -> tuple[bytes, bytes]:
        """Return the arguments of a task, with the results that it comes after in their places."""
        args, kwargs = bytes(task.submission.args), bytes(task.submission.kwargs)
        if not task.needs:
            return args, kwargs

        def result(name: str) -> str:
            return (self.tasks[name].result or b"null").decode()

        texts = (references.written(_decode(each), result) for each in (args, kwargs))
        by_position, by_name = (each.encode() for each in texts)
        return by_position, by_name

    def _end(self, task: InlineTask, state: State) -> None:
        task.state, task.finished_at = state, datetime.now(UTC)
        task.tell()
        for after in self._after(task):
            self._advance(after)

    def _after(self, task: InlineTask) -> Iterable[InlineTask]:
        waiting = (each for each in self.tasks.values() if each.state is State.SCHEDULED)
        return [each for each in waiting if task.id in each.needs]


class _Reporter:
    """Keeps what a task says."""

    def __init__(self, task: InlineTask) -> None:
        self._task = task

    def progress(self, fraction: float | None, message: str) -> None:
        self._task.progress = {"fraction": fraction, "message": message}

    def log(self, level: str, source: str, message: str) -> None:
        number = len(self._task.lines) + 1
        line = {"n": number, "level": level, "source": source, "message": message}
        self._task.lines.append(line | {"attempt": self._task.attempt})


def _current(task: InlineTask) -> CurrentTask:
    seconds = task.options.timeout
    return CurrentTask(
        _Reporter(task),
        id=task.id,
        attempt=task.attempt,
        function=task.submission.function,
        pool=task.pool,
        worker="inline",
        deadline=None if seconds is None else time.monotonic() + seconds,
    )


def refused(error: PooldeckError) -> ClientError:
    """Return what a client raises for an error of the server."""
    problem = {"code": error.code, "detail": error.detail} | error.extra
    return refusal(STATUS[type(error)], problem)

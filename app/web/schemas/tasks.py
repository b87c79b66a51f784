"""Tasks as the API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Raw, Struct

from app.domain.states import State, future_state
from app.domain.submissions import Cancelled
from app.domain.tasks import LogEntry, StoredTask, TaskPage
from app.web.schemas.types import (
    ErrorText,
    JsonArray,
    JsonObject,
    MeasurementText,
    Seconds,
    TaskId,
    Timestamp,
    optional_timestamp,
    raw,
    timestamp,
)


class Progress(Struct, frozen=True):
    """How far a task says it is; `fraction` is from 0 to 1."""

    fraction: float | None
    message: str


class Timing(Struct, frozen=True):
    """Where the time went: waiting for a slot, running, on the CPU."""

    queued: Seconds | None
    run: Seconds | None
    cpu: Seconds | None


class TaskWorker(Struct, frozen=True):
    """The worker that the latest attempt ran in; `thread` counts from 1 in a thread worker."""

    id: str
    pid: int | None
    thread: int | None


class Task(Struct, frozen=True):
    """A task. `result` is null unless it succeeded, `error` null unless it failed or was lost.

    In lists, large texts are null instead, and named in `omitted`.
    """

    id: TaskId
    function: str
    pool: str
    state: State
    future: Annotated[str, Meta(description="The `concurrent.futures` state.")]
    args: JsonArray | None
    kwargs: JsonObject | None
    result: Raw | None
    error: ErrorText | None
    attempt: Annotated[int, Meta(description="0 until it is first handed to a worker.")]
    priority: int
    tags: tuple[str, ...]
    progress: Progress | None
    created_at: Timestamp
    run_at: Timestamp | None
    started_at: Timestamp | None
    finished_at: Timestamp | None
    timing: Timing
    worker: TaskWorker | None
    measurement: MeasurementText | None
    omitted: tuple[str, ...]

    @classmethod
    def of(cls, task: StoredTask) -> Self:
        """Return `task` as the API shows it."""
        return cls(
            id=task.id,
            function=task.function,
            pool=task.pool,
            state=task.state,
            future=future_state(task.state),
            args=raw(task.args),
            kwargs=raw(task.kwargs),
            result=raw(task.result),
            error=raw(task.error),
            attempt=task.attempt,
            priority=task.priority,
            tags=task.tags,
            progress=_progress(task),
            created_at=timestamp(task.created_at),
            run_at=optional_timestamp(task.run_at),
            started_at=optional_timestamp(task.started_at),
            finished_at=optional_timestamp(task.finished_at),
            timing=_timing(task),
            worker=_worker(task),
            measurement=raw(task.measurement),
            omitted=task.omitted,
        )


def _progress(task: StoredTask) -> Progress | None:
    if task.progress_fraction is None and task.progress_message is None:
        return None
    return Progress(fraction=task.progress_fraction, message=task.progress_message or "")


def _timing(task: StoredTask) -> Timing:
    return Timing(queued=task.queued_seconds, run=task.run_seconds, cpu=task.cpu_seconds)


def _worker(task: StoredTask) -> TaskWorker | None:
    if task.worker is None:
        return None
    return TaskWorker(id=task.worker, pid=task.pid, thread=task.thread)


class TaskList(Struct, frozen=True):
    """A page of tasks, newest first; `next_cursor` continues it, null at the end."""

    items: list[Task]
    next_cursor: str | None

    @classmethod
    def of(cls, page: TaskPage) -> Self:
        """Return `page` as the API shows it."""
        return cls(items=[Task.of(task) for task in page.items], next_cursor=page.next_cursor)


class Ids(Struct, frozen=True):
    """The ids of a batch's tasks, in its order."""

    ids: list[TaskId]


class Cancellation(Struct, frozen=True):
    """What cancelling did, and the task after it."""

    outcome: Annotated[str, Meta(extra_json_schema={"enum": ["cancelled", "already_ended"]})]
    task: Task

    @classmethod
    def of(cls, cancelled: Cancelled) -> Self:
        """Return `cancelled` as the API shows it."""
        return cls(outcome=cancelled.outcome, task=Task.of(cancelled.task))


class Attempt(Struct, frozen=True):
    """One execution of a task: the record of one Future."""

    attempt: int
    state: State
    future: str
    result: Raw | None
    error: ErrorText | None
    started_at: Timestamp | None
    finished_at: Timestamp | None
    timing: Timing
    worker: TaskWorker | None
    measurement: MeasurementText | None

    @classmethod
    def of(cls, task: StoredTask) -> Self:
        """Return the latest attempt of `task`."""
        return cls(
            attempt=task.attempt,
            state=task.state,
            future=future_state(task.state),
            result=raw(task.result),
            error=raw(task.error),
            started_at=optional_timestamp(task.started_at),
            finished_at=optional_timestamp(task.finished_at),
            timing=_timing(task),
            worker=_worker(task),
            measurement=raw(task.measurement),
        )


class AttemptList(Struct, frozen=True):
    """The attempts of a task that are kept, oldest first."""

    items: list[Attempt]


class LogLine(Struct, frozen=True):
    """A line of a task's log; `n` counts from 1 within its attempt."""

    attempt: int
    n: int
    at: Timestamp
    level: str
    source: str
    message: str

    @classmethod
    def of(cls, entry: LogEntry) -> Self:
        """Return `entry` as the API shows it."""
        return cls(
            attempt=entry.attempt,
            n=entry.n,
            at=timestamp(entry.at),
            level=entry.level,
            source=entry.source,
            message=entry.message,
        )


class LogLines(Struct, frozen=True):
    """A part of a log; `next_after` asks for what follows, null at the present end."""

    items: list[LogLine]
    next_after: int | None

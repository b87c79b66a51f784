"""Tasks as the API shows them."""

from typing import Annotated, Final, Self

from msgspec import Meta, Raw, Struct

from pooldeck.functions import RunOptions
from pooldeck_server.domain.pools.hosts import host_of
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.dependencies import StoredDependencies
from pooldeck_server.domain.tasks.states import State, future_state
from pooldeck_server.domain.tasks.submission import CancelOutcome
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import TaskWait
from pooldeck_server.web.api.schemas.errors import task_error
from pooldeck_server.web.api.schemas.placements import Placed, placed
from pooldeck_server.web.api.schemas.types import (
    ErrorText,
    JsonArray,
    JsonObject,
    MeasurementText,
    Seconds,
    TaskId,
    Timestamp,
    optional_timestamp,
    raw,
    shown,
    timestamp,
)
from pooldeck_server.web.api.schemas.waiting import WaitingTask


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
    host: Annotated[str | None, Meta(description="Null: the server's own machine.")] = None


class TaskOptions(RunOptions, frozen=True, omit_defaults=False):
    """How a task is run: its function's options, where its submission did not say otherwise.

    `backoff` is the first pause before a rerun. What is `idempotent` is also run again after a
    crash.
    """


_DEFAULTS: Final = shown(TaskOptions, RunOptions())


class TaskPlace(Struct, frozen=True):
    """A task's place in a pipeline; `item` counts from 0 where the step goes over a list."""

    id: TaskId
    step: str
    item: int | None


class Given(Struct, frozen=True):
    """Arguments as they were submitted, before results took the place of references."""

    args: JsonArray | None
    kwargs: JsonObject | None


class Task(Struct, frozen=True):
    """A task. `result` is null unless it succeeded, `error` null unless it failed or was lost.

    In lists, large texts are null instead, and named in `omitted`.
    """

    id: TaskId
    function: str
    pool: str
    placed: Annotated[
        Placed | None, Meta(description="Why the server chose its pool; null: it was named.")
    ]
    state: State
    future: Annotated[str, Meta(description="The `concurrent.futures` state.")]
    args: JsonArray | None
    kwargs: JsonObject | None
    result: Raw | None
    error: ErrorText | None
    attempt: Annotated[int, Meta(description="0 until it is first handed to a worker.")]
    reruns: Annotated[
        int, Meta(description="How often the server ran it again by itself, since a retry by hand.")
    ]
    options: TaskOptions
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
    pipeline: TaskPlace | None
    after: Annotated[
        tuple[TaskId, ...], Meta(description="The first 100 of the tasks that it comes after.")
    ]
    stopped_by: Annotated[
        TaskId | None, Meta(description="The task before it that had it cancelled.")
    ]
    given: Annotated[
        Given | None, Meta(description="What references in its arguments stood in; not in lists.")
    ]
    omitted: tuple[str, ...]
    waiting: Annotated[
        WaitingTask | None,
        Meta(
            description="Why it waits, while it is queued or scheduled. In lists without its place "
            "and what it comes after; null in answers to submissions and changes."
        ),
    ]
    kept_at: Annotated[
        Timestamp | None, Meta(description="Since when somebody keeps it from being deleted.")
    ]
    expires_at: Annotated[
        Timestamp | None,
        Meta(
            description="When it may be deleted by its age. Later if other tasks need it, with the "
            "last of its pipeline, sooner if there are too many. Null: it has not ended, or stays."
        ),
    ]

    @classmethod
    def of(
        cls, task: StoredTask, expires_at: int | None = None, waiting: TaskWait | None = None
    ) -> Self:
        """Return a task as it is shown; `expires_at` is in microseconds since the epoch."""
        return cls(
            id=task.id,
            function=task.function,
            pool=task.pool,
            placed=placed(task.placed) if task.placed else None,
            state=task.state,
            future=future_state(task.state),
            args=raw(task.args),
            kwargs=raw(task.kwargs),
            result=raw(task.result),
            error=task_error(task.error, task.error_group),
            attempt=task.attempt,
            reruns=task.reruns,
            options=_options(task),
            priority=task.priority,
            tags=task.tags,
            progress=_progress(task),
            created_at=timestamp(task.created_at),
            run_at=optional_timestamp(task.run_at),
            started_at=optional_timestamp(task.started_at),
            finished_at=optional_timestamp(task.finished_at),
            timing=timing(task),
            worker=worker(task),
            measurement=raw(task.measurement),
            pipeline=_place(task.dependencies),
            after=task.dependencies.after if task.dependencies else (),
            stopped_by=task.dependencies.stopped_by if task.dependencies else None,
            given=_given(task.dependencies),
            omitted=task.omitted,
            waiting=None if waiting is None else WaitingTask.of(waiting),
            kept_at=optional_timestamp(task.kept_at),
            expires_at=optional_timestamp(expires_at),
        )


def _place(link: StoredDependencies | None) -> TaskPlace | None:
    if link is None or link.pipeline is None:
        return None
    return TaskPlace(link.pipeline, link.step or "", link.item)


def _given(link: StoredDependencies | None) -> Given | None:
    if link is None or (link.given_args is None and link.given_kwargs is None):
        return None
    return Given(raw(link.given_args), raw(link.given_kwargs))


def _options(task: StoredTask) -> TaskOptions:
    if task.options is None:
        return _DEFAULTS
    return shown(TaskOptions, RunOptions.from_json(task.options))


def _progress(task: StoredTask) -> Progress | None:
    if task.progress_fraction is None and task.progress_message is None:
        return None
    return Progress(fraction=task.progress_fraction, message=task.progress_message or "")


def timing(task: StoredTask | StoredAttempt) -> Timing:
    return Timing(queued=task.queued_seconds, run=task.run_seconds, cpu=task.cpu_seconds)


def worker(task: StoredTask | StoredAttempt) -> TaskWorker | None:
    if task.worker is None:
        return None
    return TaskWorker(task.worker, task.pid, task.thread, host_of(task.worker))


class TaskList(Struct, frozen=True):
    """A page of tasks, newest first; `next_cursor` continues it, null at the end."""

    items: list[Task]
    next_cursor: str | None


class Ids(Struct, frozen=True):
    """The ids of a batch's tasks, in its order."""

    ids: list[TaskId]


class DeletedTask(Struct, frozen=True):
    """A task that is gone."""

    deleted: TaskId


class Cancellation(Struct, frozen=True):
    """What cancelling did, and the task after it."""

    outcome: CancelOutcome
    task: Task

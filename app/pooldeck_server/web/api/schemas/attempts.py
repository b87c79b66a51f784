"""Attempts of tasks, their logs and their stacks, as the API shows them."""

from typing import Final, Self

from msgspec import Raw, Struct

from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.states import State, future_state
from pooldeck_server.domain.tasks.submission import TaskStack
from pooldeck_server.web.api.schemas.errors import task_error
from pooldeck_server.web.api.schemas.tasks import TaskWorker, Timing, timing, worker
from pooldeck_server.web.api.schemas.types import (
    ErrorText,
    MeasurementText,
    TaskId,
    Timestamp,
    optional_timestamp,
    raw,
)

STACK_UNKNOWN: Final = "it has just ended, or its worker cannot tell at the moment; ask again"
STACK_UNREACHED: Final = "its host has no contact, so nobody can tell; ask again when it has"


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
    def of(cls, attempt: StoredAttempt) -> Self:
        return cls(
            attempt=attempt.attempt,
            state=attempt.state,
            future=future_state(attempt.state),
            result=raw(attempt.result),
            error=task_error(attempt.error, attempt.error_group),
            started_at=optional_timestamp(attempt.started_at),
            finished_at=optional_timestamp(attempt.finished_at),
            timing=timing(attempt),
            worker=worker(attempt),
            measurement=raw(attempt.measurement),
        )


class AttemptList(Struct, frozen=True):
    """The attempts of a task that are kept, oldest first."""

    items: list[Attempt]


class Stack(Struct, frozen=True):
    """Where a running task is at this moment; where that cannot be told, `detail` says why."""

    task: TaskId
    worker: TaskWorker | None
    text: str | None
    detail: str | None

    @classmethod
    def of(cls, stack: TaskStack) -> Self:
        unknown = STACK_UNREACHED if stack.no_contact else STACK_UNKNOWN
        detail = None if stack.text is not None else unknown
        return cls(stack.task.id, worker(stack.task), stack.text, detail)

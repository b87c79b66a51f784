"""An attempt of a task: one call of its function in a worker, and what became of it.

Times are microseconds since the epoch, durations are seconds.
"""

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State


class StoredAttempt(Struct, frozen=True):
    """An attempt of a task as read back: a record of one Future. JSON texts as in `StoredTask`."""

    attempt: int
    state: State  # what it became; the task's own state for the present one
    started_at: int | None = None
    finished_at: int | None = None
    queued_seconds: float | None = None
    run_seconds: float | None = None
    cpu_seconds: float | None = None
    worker: str | None = None
    pid: int | None = None
    thread: int | None = None
    error_kind: str | None = None
    result: str | None = None
    error: str | None = None
    measurement: str | None = None
    error_group: str | None = None
    recorded_at: int | None = None


class LatestRun(Struct, frozen=True):
    """A task that ran and ended; `run_seconds` is how long its last attempt ran."""

    seq: int
    id: str
    state: State
    run_seconds: float
    finished_at: int

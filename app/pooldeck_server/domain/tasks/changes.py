"""What happens to a task on its way through a worker, and the move that is told of it.

Times are microseconds since the epoch, durations are seconds. A change is the wish of whoever saw
it happen; a `TaskChanged` says that it is stored.
"""

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State


class Claim(Struct, frozen=True, gc=False):
    """The wish to hand a queued task to a worker; `attempt` is the one that would begin.

    `edits` is how often the task had been changed that is to be handed over.
    """

    seq: int
    attempt: int
    edits: int = 0


class Start(Struct, frozen=True, gc=False):
    """A worker reported that it started an attempt."""

    seq: int
    attempt: int
    started_at: int
    queued_seconds: float
    worker: str
    pid: int
    thread: int | None


class End(Struct, frozen=True, gc=False):
    """An attempt became final. The fields of its start are repeated: both may be stored at once.

    `result`, `error` and `measurement` are JSON texts. `error_kind` stands apart to be searched.
    """

    seq: int
    attempt: int
    state: State
    finished_at: int
    started_at: int | None = None
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
    error_group: str | None = None  # the id of the errors that it is one of


class Rerun(Struct, frozen=True, gc=False):
    """An attempt ended and its task goes on: `end` tells what the attempt became."""

    end: End
    run_at: int  # microseconds; later than the end: scheduled until then, else queued at once

    @property
    def seq(self) -> int:
        return self.end.seq

    @property
    def attempt(self) -> int:
        return self.end.attempt

    @property
    def state(self) -> State:
        return State.SCHEDULED if self.run_at > self.end.finished_at else State.QUEUED


class ProgressMark(Struct, frozen=True, gc=False):
    """How far a running attempt says it is."""

    seq: int
    attempt: int
    fraction: float | None
    message: str


class TaskChanged(Struct, frozen=True, gc=False):
    """A task moved to another state, and the move is stored."""

    seq: int
    id: str
    function: str
    pool: str
    before: State | None  # None: it is new
    state: State
    wait_seconds: float | None = None  # known once it started
    run_seconds: float | None = None  # known once an attempt ended, also if it is run again
    finished_at: int | None = None  # microseconds since the epoch, known once it ended
    error_kind: str | None = None  # of the attempt that ended with this move
    error_group: str | None = None  # the errors that it is one of
    edited_in: str | None = None  # the pool in which it was changed by hand; None: it was not

    @property
    def left_pool(self) -> str:
        """The pool in which it was `before`."""
        return self.edited_in or self.pool

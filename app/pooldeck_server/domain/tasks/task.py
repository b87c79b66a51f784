"""What a task is on its way through the server: submitted, waiting, changed, read back.

All values are frozen. Times are microseconds since the epoch, durations are seconds, and arguments,
results and errors are JSON text that the server carries without looking inside. Those that come by
the thousand hold nothing that could form a cycle, so the garbage collector need not look at them.
"""

from enum import StrEnum
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from pooldeck_server.domain.tasks.dependencies import TaskLink
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.domain.tasks.states import State

MAX_CHOSEN: Final = 50
"""Values of one condition."""

MAX_TEXT: Final = 200
"""Characters that are searched for."""

PARAMETERS: Final = {
    "states": "state",
    "functions": "function",
    "pools": "pool",
    "tags": "tag",
    "errors": "error",
    "groups": "group",
    "pipelines": "pipeline",
    "text": "q",
}
"""The conditions on tasks that addresses, forms and bodies give another name."""

_SEARCHED: Final = "Looked for in ids, functions, and the first 4,096 characters of arguments."
_Names: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=MAX_CHOSEN)]
_Time = TypeVar("_Time")


class NewTask(Struct, frozen=True, gc=False):
    """A submission that passed every check, ready to be stored.

    `shown_args` and `shown_kwargs` are what people may see where the function has sensitive
    arguments; None where `args` and `kwargs` may be shown as they are.
    """

    seq: int  # the order of submission on this database, from 1
    id: str
    function: str
    pool: str
    state: State  # QUEUED, or SCHEDULED with a `run_at`
    priority: int
    created_at: int
    args: str
    kwargs: str
    run_at: int | None = None
    tags: tuple[str, ...] = ()
    shown_args: str | None = None
    shown_kwargs: str | None = None
    idempotency_key: str | None = None
    fingerprint: str | None = None  # of the body, to tell a repeated key from a reused one
    attempt: int = 0
    claimed: int = 0  # 1: claimed, for attempt 1, by the commit that stores it
    options: str | None = None  # JSON of its `RunOptions`; None: all are defaults
    placed: str | None = None  # JSON of its `Placement`; None: its pool was named

    def claim(self) -> "NewTask":
        """Return it claimed for its first attempt."""
        return replace(self, attempt=1, claimed=1)

    def as_queued(self) -> "QueuedTask":
        """Return it as the dispatcher sees it."""
        return QueuedTask(
            seq=self.seq,
            id=self.id,
            function=self.function,
            pool=self.pool,
            attempt=0,
            priority=self.priority,
            created_at=self.created_at,
            args=self.args,
            kwargs=self.kwargs,
            run_at=self.run_at,
            options=self.options,
        )

    def as_stored(self) -> "StoredTask":
        """Return it as people see it before a worker has it."""
        return StoredTask(
            seq=self.seq,
            id=self.id,
            function=self.function,
            pool=self.pool,
            state=self.state,
            attempt=0,
            priority=self.priority,
            tags=self.tags,
            created_at=self.created_at,
            run_at=self.run_at,
            args=self.shown_args or self.args,
            kwargs=self.shown_kwargs or self.kwargs,
            options=self.options,
            placed=self.placed,
        )


class QueuedTask(Struct, frozen=True, gc=False):
    """What the dispatcher needs to know of a task that waits for a slot."""

    seq: int
    id: str
    function: str
    pool: str
    attempt: int  # attempts handed over so far
    priority: int
    created_at: int
    args: str
    kwargs: str
    run_at: int | None = None  # where it was scheduled first, or is run again
    options: str | None = None
    reruns: int = 0  # those of `attempt` that the server began by itself, since the last by hand

    @property
    def ready_at(self) -> int:
        """Return since when it waits for a slot: its submission, or the time set for it."""
        return max(self.created_at, self.run_at or 0)

    @property
    def order(self) -> tuple[int, int]:
        """Sort key: higher priority first, then in the order of submission."""
        return (-self.priority, self.seq)


class QueueFront(Struct, frozen=True):
    """The tasks of a queue that run first, and whether more wait behind them."""

    tasks: tuple[QueuedTask, ...]
    has_more: bool


class Claim(Struct, frozen=True, gc=False):
    """The wish to hand a queued task to a worker; `attempt` is the one that would begin."""

    seq: int
    attempt: int


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
        """Return the task's place in the order of submission."""
        return self.end.seq

    @property
    def attempt(self) -> int:
        """Return the number of the attempt that ended."""
        return self.end.attempt

    @property
    def state(self) -> State:
        """Return the state that the task goes on in."""
        return State.SCHEDULED if self.run_at > self.end.finished_at else State.QUEUED


class ProgressMark(Struct, frozen=True, gc=False):
    """How far a running attempt says it is."""

    seq: int
    attempt: int
    fraction: float | None
    message: str


class LogEntry(Struct, frozen=True, gc=False):
    """One line of an attempt's log, as stored; `n` counts from 1 within the attempt."""

    seq: int
    attempt: int
    n: int
    at: int
    level: str
    source: str
    message: str


class TaskKey(Struct, frozen=True):
    """Names a task and its place: what the lists page by."""

    seq: int
    id: str


class StoredTask(Struct, frozen=True):
    """A task as read back from the store.

    `args`, `kwargs`, `result`, `error` and `measurement` are JSON texts; the first two already
    redacted where arguments are sensitive. In lists, texts over a bound are left out: their names
    are in `omitted`.
    """

    seq: int
    id: str
    function: str
    pool: str
    state: State
    attempt: int
    priority: int
    tags: tuple[str, ...]
    created_at: int
    run_at: int | None
    started_at: int | None = None
    finished_at: int | None = None
    queued_seconds: float | None = None
    run_seconds: float | None = None
    cpu_seconds: float | None = None
    worker: str | None = None
    pid: int | None = None
    thread: int | None = None
    progress_fraction: float | None = None
    progress_message: str | None = None
    error_kind: str | None = None
    args: str | None = None
    kwargs: str | None = None
    result: str | None = None
    error: str | None = None
    measurement: str | None = None
    options: str | None = None
    reruns: int = 0
    error_group: str | None = None  # the id of the errors that its own is one of
    recorded_at: int | None = None  # when its end was written
    placed: str | None = None  # JSON of its `Placement`; None: its pool was named
    omitted: tuple[str, ...] = ()
    link: TaskLink | None = None  # where it hangs together with others

    @property
    def is_unreleased(self) -> bool:
        """Tell whether it waits for other tasks, or did until its end."""
        return self.link is not None and self.link.released_at is None


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


class TaskConditions(Struct, Generic[_Time], frozen=True, rename=PARAMETERS):
    """Conditions on tasks. Values of one field add up, different fields narrow.

    `since` and `until` bound the time of submission; until is exclusive. `text` is looked for in
    ids, function names and shown arguments.
    """

    states: Annotated[tuple[State, ...], Meta(max_length=MAX_CHOSEN)] = ()
    functions: _Names = ()
    pools: _Names = ()
    tags: _Names = ()
    errors: tuple[str, ...] = ()
    groups: Annotated[_Names, Meta(description="Ids of groups of errors.")] = ()
    pipelines: Annotated[_Names, Meta(description="Ids of pipelines.")] = ()
    text: Annotated[str, Meta(max_length=MAX_TEXT, description=_SEARCHED)] | None = None
    since: _Time | None = None
    until: _Time | None = None


class TaskFilter(TaskConditions[int], frozen=True):
    """Which tasks are meant, with times in microseconds since the epoch."""


class Sort(StrEnum):
    """What a list begins with: the newest, what ended last, or what ran longest.

    Only tasks that have ended are in the lists by end and by run time, and in the latter only those
    that ran 10 ms or longer.
    """

    CREATED = "created"
    FINISHED = "finished"
    RUN = "run"


class TaskPage(Struct, frozen=True):
    """One page of a list; `next_cursor` continues it, None at the end."""

    items: tuple[StoredTask, ...]
    next_cursor: str | None


class TaskRef(Struct, frozen=True, array_like=True):
    """A task that a filter fits, and where it is."""

    seq: int
    id: str
    function: str
    pool: str
    state: State


class Matching(Struct, frozen=True):
    """Some of the tasks that fit a filter, newest first.

    `next` is the number before which to go on; None at the end.
    """

    found: tuple[TaskRef, ...]
    next: int | None


class Total(Struct, frozen=True):
    """How many tasks fit a filter: exactly `number`, or so many and perhaps more."""

    number: int
    is_exact: bool

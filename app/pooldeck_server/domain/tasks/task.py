"""A task: submitted, waiting for a slot, read back.

All values are frozen. Times are microseconds since the epoch, durations are seconds, and arguments,
results and errors are JSON text that the server carries without looking inside. Those that come by
the thousand hold nothing that could form a cycle, so the garbage collector need not look at them.

What goes from one of these values into the next goes by its fields' names: a field that is added to
`RunnableTask` or `SubmittedTask` is stored, queued, spread and shown wherever there is one of its
name.
"""

from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.dependencies import StoredDependencies
from pooldeck_server.domain.tasks.states import State


class RunnableTask(Struct, frozen=True, gc=False):
    """What it takes to run a task, from its submission on."""

    seq: int  # the order of submission on this database, from 1
    id: str
    function: str
    pool: str
    priority: int
    created_at: int
    args: str
    kwargs: str
    run_at: int | None = None  # the time set for it, where there is one
    options: str | None = None  # JSON of its `RunOptions`; None: all are defaults


class QueuedTask(RunnableTask, frozen=True, gc=False):
    """What the dispatcher needs to know of a task that waits for a slot."""

    attempt: int = 0  # attempts handed over so far
    reruns: int = 0  # those of `attempt` that the server began by itself, since the last by hand
    edits: int = 0  # how often it was changed: what is claimed is what was read, or nothing

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


class SubmittedTask(RunnableTask, frozen=True, gc=False):
    """What a task keeps of its submission.

    `shown_args` and `shown_kwargs` are what people may see where the function has sensitive
    arguments; None where `args` and `kwargs` may be shown as they are.
    """

    tags: tuple[str, ...] = ()
    shown_args: str | None = None
    shown_kwargs: str | None = None
    placed: str | None = None  # JSON of its `Placement`; None: its pool was named


class NewTask(SubmittedTask, frozen=True, gc=False, kw_only=True):
    """A submission that passed every check, ready to be stored."""

    state: State  # QUEUED, or SCHEDULED with a `run_at`
    idempotency_key: str | None = None
    fingerprint: str | None = None  # of the body, to tell a repeated key from a reused one
    callback: str | None = None  # the address that its end is told to
    attempt: int = 0
    claimed: int = 0  # 1: claimed, for attempt 1, by the commit that stores it

    def claim(self) -> "NewTask":
        return replace(self, attempt=1, claimed=1)

    def as_queued(self) -> QueuedTask:
        return QueuedTask(*_runnable(self))

    def as_stored(self) -> "StoredTask":
        """Return it as people see it before a worker has it."""
        fields = {name: getattr(self, name) for name in _SHOWN_OF_NEW}
        return StoredTask(
            attempt=0,
            args=self.shown_args or self.args,
            kwargs=self.shown_kwargs or self.kwargs,
            **fields,
        )


class TaskKey(Struct, frozen=True):
    """Names a task and its place: what the lists page by."""

    seq: int
    id: str


class StoredTask(StoredAttempt, frozen=True, kw_only=True):
    """A task as read back from the store, with its present attempt.

    `args`, `kwargs`, `result`, `error` and `measurement` are JSON texts; the first two already
    redacted where arguments are sensitive. In lists, texts over a bound are left out: their names
    are in `omitted`; `error_type` and the beginning of the `error_message` are there in any case.
    """

    seq: int
    id: str
    function: str
    pool: str
    priority: int
    tags: tuple[str, ...]
    created_at: int
    run_at: int | None
    progress_fraction: float | None = None
    progress_message: str | None = None
    args: str | None = None
    kwargs: str | None = None
    options: str | None = None
    reruns: int = 0
    placed: str | None = None  # JSON of its `Placement`; None: its pool was named
    omitted: tuple[str, ...] = ()
    error_type: str | None = None  # in lists only
    error_message: str | None = None  # likewise
    dependencies: StoredDependencies | None = None  # where it hangs together with others
    kept_at: int | None = None  # since when somebody keeps it from being deleted

    @property
    def is_unreleased(self) -> bool:
        """Tell whether it waits for other tasks, or did until its end."""
        return self.dependencies is not None and self.dependencies.released_at is None


_runnable = attrgetter(*RunnableTask.__struct_fields__)
_SHOWN_OF_NEW = frozenset(NewTask.__struct_fields__).intersection(StoredTask.__struct_fields__) - {
    "attempt",
    "args",
    "kwargs",
}

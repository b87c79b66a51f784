"""Incidents: unexpected deaths of workers, as they are kept and shown.

Times are microseconds since the epoch. An end that the server itself brought about is none.
"""

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State


class TaskName(Struct, frozen=True):
    """A task and its function."""

    task: str
    function: str


class Bystander(Struct, frozen=True):
    """A task that lost its worker through no fault of its own, and the state that it came to."""

    task: str
    became: str  # "lost", "failed" or "queued"


class StoredIncident(Struct, frozen=True):
    """A worker's unexpected death: what is known of its cause, and what became of its tasks.

    Where the culprit cannot be known there are `suspects` instead of one, all that ran.
    """

    id: str
    pool: str
    worker: str
    pid: int | None
    detected_at: int
    cause: str  # in words, such as "killed by SIGSEGV"
    signal: int | None = None
    exit_code: int | None = None
    culprit: TaskName | None = None
    suspects: tuple[TaskName, ...] = ()
    bystanders: tuple[Bystander, ...] = ()
    traceback: str | None = None
    peak_rss_bytes: int | None = None
    recovered_at: int | None = None  # None: the pool is not whole yet
    recovery_ms: float | None = None


class TaskToday(Struct, frozen=True):
    """What has become of a task since: its function, its state, and how often it has run."""

    id: str
    function: str
    state: State
    attempt: int


class CulpritCount(Struct, frozen=True):
    """How many workers died of a function; None: whose fault it was is not known."""

    function: str | None
    n: int


class IncidentPage(Struct, frozen=True):
    """One page of a list, newest first; `next_cursor` continues it, None at the end."""

    items: tuple[StoredIncident, ...]
    next_cursor: str | None

"""Incidents: unexpected deaths of workers, as they are kept and shown.

Times are microseconds since the epoch. An end that the server itself brought about is none.
"""

from collections.abc import Sequence
from signal import Signals
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State

_OUT_OF_MEMORY: Final = "probably out of memory"
_NAMED: Final = 3  # functions of those that are suspected


class TaskName(Struct, frozen=True):
    """A task and its function."""

    task: str
    function: str


class Bystander(Struct, frozen=True):
    """A task that lost its worker through no fault of its own, and the state that it came to."""

    task: str
    became: str  # "lost", "failed" or "queued"


class VitalSample(Struct, frozen=True):
    """A look at a worker, so many seconds `before` its end was noticed.

    CPU is in percent of one core since the look before, 0 at the first.
    """

    before: float
    rss_bytes: int
    cpu_percent: float


class StoredIncident(Struct, frozen=True):
    """A worker's unexpected death: what is known of its cause, and what became of its tasks.

    Where the culprit cannot be known there are `suspects` instead of one: all that ran, and those
    that had ended, or had been given up, and of which something ran on.
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
    vitals: tuple[VitalSample, ...] = ()  # of its last minute, the earliest first

    @property
    def kind(self) -> str:
        """Return what kind of death it was: the few that figures tell apart."""
        if _OUT_OF_MEMORY in self.cause:
            return "out_of_memory"
        if self.signal is not None:
            return _signal_name(self.signal)
        return "other" if self.exit_code is None else "exit"

    @property
    def ran(self) -> Sequence[TaskName]:
        """Return those suspects that lost their worker by it."""
        hit = {each.task for each in self.bystanders}
        return [each for each in self.suspects if each.task in hit]

    @property
    def left(self) -> Sequence[TaskName]:
        """Return those suspects of which something ran on, though they themselves did not."""
        ran = self.ran
        return [each for each in self.suspects if each not in ran]

    @property
    def sentence(self) -> str:
        """Return what happened to the worker: "was killed by SIGSEGV", "exited with code 1"."""
        return self.cause if self.signal is None else f"was {self.cause}"

    @property
    def circumstances(self) -> str:
        """Return under what it happened: "while it ran shop.render (task ID)"."""
        if self.culprit is None:
            return _suspected(self.ran) + _left(self.left)
        by = f"while it ran {self.culprit.function} (task {self.culprit.task})"
        others = len(self.bystanders)
        return by if not others else f"{by}, and {_tasks(others)} beside it"


def _suspected(suspects: Sequence[TaskName]) -> str:
    match suspects:
        case []:
            return "while it ran no task"
        case [only]:
            return f"when it had {only.function} (task {only.task}) in hand"
        case _:
            of = named_functions(suspects)
            return f"while it ran {_tasks(len(suspects))}, one of which may have done it ({of})"


def _left(suspects: Sequence[TaskName]) -> str:
    if not suspects:
        return ""
    of = named_functions(suspects)
    return f"; what {_tasks(len(suspects))} had left running in it may have done it ({of})"


def named_functions(tasks: Sequence[TaskName]) -> str:
    """Return the names of the functions of tasks, the first few of them."""
    names = sorted({each.function for each in tasks})
    return ", ".join(names[:_NAMED]) + (", …" if names[_NAMED:] else "")


def _tasks(number: int) -> str:
    return f"{number} task{'' if number == 1 else 's'}"


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


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:  # a real-time signal
        return "signal"

"""The current task, by which a running function learns about its task and reports on it.

The task is held in a context variable: it is found in `async def` functions and in
`asyncio.to_thread`. In a worker it is inherited by the threads that a task starts and by the work
that it hands to thread pool executors, unlike the rest of the task's context.
"""

import copy
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass, field
from threading import Thread
from typing import Any, Final, Protocol, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

_monotonic = time.monotonic  # kept, since tasks may replace time.monotonic


class Reporter(Protocol):
    """Receives the progress and the log of a running function."""

    def progress(self, fraction: float | None, message: str) -> None:
        """Set how far it is."""

    def log(self, level: str, source: str, message: str) -> None:
        """Add a line to its log."""


@dataclass(slots=True, weakref_slot=True, eq=False, repr=False)
class CurrentTask:
    """The task that is running here.

    Attributes:
        id: The task's id; "local" outside a worker.
        attempt: Which execution of the task this is, from 1.
        function: The name it was called by.
        pool: The pool it runs in.
        worker: The worker it runs in.
        deadline: When its time is over, in seconds of `time.monotonic()`; None if it has no limit.
        is_asked: Whether somebody asked it to stop.
        reporter: Where its words go.
        throttles: How often it said that its target throttled it.
        throttled_seconds: For how long in all.
    """

    reporter: Reporter
    _: KW_ONLY
    id: str
    attempt: int
    function: str
    pool: str
    worker: str
    deadline: float | None = None
    is_asked: bool = False
    throttles: int = 0
    throttled_seconds: float = 0.0
    _at_end: dict[Callable[[], None], None] | None = field(default=None, init=False)
    # What it has started, for the worker to look after: threads by id, and processes.
    _threads: WeakValueDictionary[int, Thread] | None = field(default=None, init=False)
    _children: set[int] | None = field(default=None, init=False)

    @property
    def cancelled(self) -> bool:
        """Whether the function should end itself: somebody asked, or its time is over.

        It may return, or raise a `CancelledError` of `concurrent.futures` or of `asyncio`.
        """
        return self.is_asked or (self.deadline is not None and _monotonic() >= self.deadline)

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Report how far the task is; at most ten reports a second are passed on.

        Args:
            fraction: From 0 to 1, values outside are moved to the nearer end; None if unknown.
            message: A few words for people.
        """
        known = None if fraction is None else min(1.0, max(0.0, float(fraction)))
        self.reporter.progress(known, str(message))

    def throttled(self, seconds: float = 0.0) -> None:
        """Report that what the task talks to asks for fewer requests, as with HTTP status 429.

        It does not wait. The advice on the size of the pool takes it into account: more workers
        would only be turned away more often.

        Args:
            seconds: How long the target wants to be left alone (`Retry-After`), if it said so.
        """
        self.throttles += 1
        self.throttled_seconds += max(0.0, float(seconds))

    def at_end(self, call: Callable[[], None]) -> None:
        """Have something done when the task has ended, however it did, on the thread that ran it.

        Args:
            call: What to do, once even if it is named several times; it must not raise.
        """
        if self._at_end is None:
            self._at_end = {}
        self._at_end[call] = None

    def end(self) -> None:
        """Do what was to be done at the end; called by the worker."""
        for call in self._at_end or ():
            call()

    def log(self, message: str, level: str = "INFO") -> None:
        """Add a line to the task's log.

        Args:
            message: What to say; it may have several lines.
            level: A level's name as in `logging`.
        """
        self.reporter.log(level.upper(), "task", str(message))


class _LocalReporter:
    """Passes on to `logging`, so that a function can be called and tested anywhere."""

    def progress(self, fraction: float | None, message: str) -> None:
        share = "" if fraction is None else f"{fraction:.0%}"
        logging.getLogger(__name__).info("progress: %s", f"{share} {message}".strip())

    def log(self, level: str, source: str, message: str) -> None:
        known = logging.getLevelNamesMapping().get(level, logging.INFO)
        logging.getLogger(f"{__name__}.{source}").log(known, "%s", message)


LOCAL: Final = CurrentTask(
    _LocalReporter(), id="local", attempt=1, function="", pool="local", worker="local"
)
"""The stand-in that is the current task where none runs."""

_current: ContextVar[CurrentTask] = ContextVar("pooldeck.current_task", default=LOCAL)


def current_task() -> CurrentTask:
    """Return the task that is running here.

    Outside a worker it is a stand-in with the id "local" that reports to `logging`.
    """
    return _current.get()


def enter(task: CurrentTask) -> None:
    """Make `task` the current one of this context."""
    _current.set(task)


def call_as(task: CurrentTask, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call something with `task` as the current one, and return what it returns."""
    token = _current.set(task)
    try:
        return call(*args, **kwargs)
    finally:
        _current.reset(token)


def detach() -> None:
    """Let the current task report to `logging`: a forked child has no part in its worker's pipe."""
    task = copy.copy(_current.get())
    task.reporter = _LocalReporter()
    enter(task)

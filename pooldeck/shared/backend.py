"""Where shared state is: in a process of the server, or, where there is no server, in this one."""

import os
import threading
from typing import Any, Final, Protocol

from pooldeck.access import Access, SharedLimits, given
from pooldeck.context import CurrentTask, current_task
from pooldeck.marks import WORKER
from pooldeck.shared.errors import SharedError, SharedLostError, SharedUnavailableError

BROKEN: Final = (EOFError, ConnectionError)
"""What says that the other end is gone; any other error may be that of a signal's handler."""

_LOST: Final = (
    "the process that keeps shared state died while this task used it. Another has taken its "
    "place and begins with nothing: values and locks are gone"
)


class Backend(Protocol):
    """Has the state do things."""

    limits: SharedLimits
    worker: str

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Call a method of `State` and return its answer.

        Raises:
            SharedError: If it cannot be done.
            LookupError: If there is no such item.
        """


class Local:
    """The state of a process without a server: a test, or a script."""

    limits = SharedLimits()
    worker = "local"

    def __init__(self) -> None:
        from pooldeck.shared.state import State  # noqa: PLC0415 - workers keep no state themselves

        self._state = State(self.limits)

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Call a method of `State`, as `Backend` says."""
        return getattr(self._state, operation)(*arguments)


class _ThreadConnection(threading.local):
    """A thread's line, the process that opened it, and the task that asked on it last."""

    line: Any = None
    pid: int = 0
    task: CurrentTask | None = None


class Remote:
    """The state of a server, from one of its workers: a line for each thread, opened at first use.

    Args:
        access: The way there.
        worker: The worker's id.
    """

    def __init__(self, access: Access, worker: str) -> None:
        self.limits = access.limits
        self.worker = worker
        self._access = access
        self._own = _ThreadConnection()

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Call a method of `State`, as `Backend` says.

        Where the process has died and another has taken its place, a task that had not used shared
        state before notices nothing; one that had is told that it is lost.
        """
        line = self._line()
        try:
            answer = line.ask(operation, *arguments)
        except BROKEN as error:
            answer = self._again(line.state, error, operation, arguments)
        self._own.task = current_task()
        return answer

    def _again(
        self, state: str, error: Exception, operation: str, arguments: tuple[Any, ...]
    ) -> Any:
        line = self._line()
        if line.state == state:
            raise SharedError(
                f"the connection to shared state broke; whether it did {operation} is not known"
            ) from error
        if self._own.task is current_task():
            self._own.task = None  # it has been told
            raise SharedLostError(_LOST) from error
        try:
            return line.ask(operation, *arguments)
        except BROKEN as broken:
            raise SharedUnavailableError(f"shared state cannot be reached: {broken}") from broken

    def _line(self) -> Any:
        """Return this thread's line; a forked child does not use its parent's."""
        own = self._own
        if own.line is None or own.line.is_closed or own.pid != os.getpid():
            from pooldeck.shared.connection import StateConnection  # noqa: PLC0415 - few tasks need multiprocessing

            own.line, own.pid = StateConnection(self._access), os.getpid()
        return own.line


_here: dict[str, Backend] = {}  # one at most; setting it is one step, whatever threads there are


def backend() -> Backend:
    """Return where the state is.

    Raises:
        SharedUnavailableError: If this process was started by a task, and knows no way there.
    """
    return _here.get("") or _here.setdefault("", _made())


def _made() -> Backend:
    if (way := given()) is not None:
        return Remote(way.access, way.worker)
    if WORKER in os.environ:
        raise SharedUnavailableError(
            "shared state is reached by workers of the server and by processes that they fork. "
            "This one was started anew by a task: let the task use the state instead"
        )
    return Local()


def holder() -> tuple[str, int, str, str, str]:
    """Return who asks, as the fields of a `Holder`: this thread of this worker, with its task."""
    task = current_task()
    thread = threading.current_thread().name
    return backend().worker, os.getpid(), thread, task.id, task.function

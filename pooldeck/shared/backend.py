"""The way to shared state: a process of the server, or, where there is no server, this process."""

import os
import threading
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pooldeck.access import Access, SharedLimits, worker_access
from pooldeck.context import CurrentTask, current_task
from pooldeck.marks import WORKER
from pooldeck.per_thread import PerThread
from pooldeck.shared.errors import SharedError, SharedLostError, SharedUnavailableError

BROKEN: Final = (EOFError, ConnectionError)
"""What says that the other end is gone; any other error may be that of a signal's handler."""

_LOST: Final = (
    "the process that keeps shared state died while this task used it. Another has taken its "
    "place and begins with nothing: values and locks are gone"
)


class Backend(Protocol):
    """Does operations on shared state."""

    limits: SharedLimits
    worker: str

    def call(self, operation: str, *arguments: Any) -> Any:
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

    def call(self, operation: str, *arguments: Any) -> Any:
        return getattr(self._state, operation)(*arguments)


@dataclass
class _ThreadConnection:
    """A thread's connection, the process that opened it, and the task that used it last."""

    connection: Any = None
    pid: int = 0
    task: CurrentTask | None = None


class Remote:
    """The state of a server, from one of its workers: a connection for each thread."""

    def __init__(self, access: Access, worker: str) -> None:
        self.limits = access.limits
        self.worker = worker
        self._access = access
        self._own = PerThread(_ThreadConnection)

    def call(self, operation: str, *arguments: Any) -> Any:
        """Call a method of `State`, as `Backend` says.

        Where the process has died and another has taken its place, a task that had not used shared
        state before notices nothing; one that had gets a `SharedLostError`.
        """
        connection = self._connection()
        try:
            answer = connection.request(operation, *arguments)
        except BROKEN as error:
            answer = self._retry(connection.state, error, operation, arguments)
        self._own.value.task = current_task()
        return answer

    def _retry(
        self, state: str, error: Exception, operation: str, arguments: tuple[Any, ...]
    ) -> Any:
        connection, own = self._connection(), self._own.value
        if connection.state == state:
            raise SharedError(
                f"the connection to shared state broke; whether it did {operation} is not known"
            ) from error
        if own.task is current_task():
            own.task = None  # its next call begins anew
            raise SharedLostError(_LOST) from error
        try:
            return connection.request(operation, *arguments)
        except BROKEN as broken:
            raise SharedUnavailableError(f"shared state cannot be reached: {broken}") from broken

    def _connection(self) -> Any:
        """Return this thread's connection; a forked child does not use its parent's."""
        own = self._own.value
        if own.connection is None or own.connection.is_closed or own.pid != os.getpid():
            from pooldeck.shared.connection import StateConnection  # noqa: PLC0415 - few tasks need multiprocessing

            own.connection, own.pid = StateConnection(self._access), os.getpid()
        return own.connection


_here: dict[str, Backend] = {}  # one at most; setting it is one step, whatever threads there are


def backend() -> Backend:
    """Return the way to the state, which a process that a task has started anew does not have."""
    return _here.get("") or _here.setdefault("", _new_backend())


def _new_backend() -> Backend:
    if (own := worker_access()) is not None:
        return Remote(*own)
    if "@" in os.environ.get(WORKER, ""):
        raise SharedUnavailableError(
            "shared state is on the server's machine, and this task runs on a host: let the task "
            "run in a pool of the server's own machine, or keep the state in a database"
        )
    if WORKER in os.environ:
        raise SharedUnavailableError(
            "shared state is reached by workers of the server and by processes that they fork. "
            "This one was started anew by a task: let the task use the state instead"
        )
    return Local()


def current_holder() -> tuple[str, int, str, str, str]:
    """Return the fields of a `Holder`: this thread of this worker, with its task."""
    task = current_task()
    thread = threading.current_thread().name
    return backend().worker, os.getpid(), thread, task.id, task.function

"""Resources of a worker: connections, clients or files, one per thread or per process.

Each is made at first use.

    @resource
    def orders() -> sqlite3.Connection:
        return sqlite3.connect("orders.sqlite3")

    @task
    def count() -> int:
        return orders().execute("SELECT COUNT(*) FROM orders").fetchone()[0]

What is made in one thread or process is never handed to another. A forked child makes its own, and
leaves the one that it inherited untouched: closing it would speak to the other side in its parent's
name.
"""

import atexit
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar, overload

from pooldeck.per_thread import PerThread

T = TypeVar("T")
Per = Literal["thread", "process"]

_log = logging.getLogger("pooldeck.resources")


@dataclass(frozen=True)
class _Made(Generic[T]):
    """What a factory has made, and for which process."""

    value: T
    ending: Callable[[T], object]
    pid: int = field(default_factory=os.getpid)

    def close(self) -> None:
        """Close it; an error is logged, since no caller waits for this."""
        try:
            self.ending(self.value)
        except Exception:  # noqa: BLE001 - closing is the user's code
            _log.exception("a resource could not be closed: %s", type(self.value).__qualname__)


class _Store:
    """What was made for one thread, or for the process, in the order in which it was made."""

    def __init__(self) -> None:
        self.made: dict[Resource[Any], _Made[Any]] = {}
        self.inherited: list[_Made[Any]] = []  # kept, so that not even losing them closes them

    def find(self, key: "Resource[Any]") -> _Made[Any] | None:
        """Return what was made under a key, unless that was before a fork."""
        found = self.made.get(key)
        if found is not None and found.pid != os.getpid():
            self.inherited.append(self.made.pop(key))
            return None
        return found

    def drop(self, key: "Resource[Any]") -> None:
        if (found := self.find(key)) is not None:
            del self.made[key]
            found.close()

    def close(self) -> None:
        for key in reversed(tuple(self.made)):
            self.drop(key)


_of_thread: Final = PerThread(_Store)
_of_process: Final = _Store()


class Resource(Generic[T]):
    """One thing per thread or per process; calling the resource returns it.

    Args:
        factory: Makes it.
        per: Whom one is made for.
        close: Ends it.
    """

    def __init__(
        self, factory: Callable[[], T], per: Per, close: Callable[[T], object] | None
    ) -> None:
        self._factory = factory
        self._per = per
        self._close = close or _closed
        self._making = threading.RLock()
        self.__doc__ = factory.__doc__
        os.register_at_fork(after_in_child=self._unlock)

    def __call__(self) -> T:
        """Return the one of this thread or process; it is made if there is none.

        Raises:
            Exception: Whatever the factory raises; the next call tries again.
        """
        found = self._store.find(self)
        if found is None:
            with self._making:
                found = self._store.find(self) or self._make()
        value: T = found.value
        return value

    def discard(self) -> None:
        """Close the one of this thread or process, as when its connection broke.

        The next call makes another.
        """
        with self._making:
            self._store.drop(self)

    @property
    def _store(self) -> _Store:
        return _of_thread.value if self._per == "thread" else _of_process

    def _make(self) -> _Made[T]:
        made = _Made(self._factory(), self._close)
        self._store.made[self] = made
        return made

    def _unlock(self) -> None:
        """Have a lock of its own in a forked child: a thread of the parent may hold the other."""
        self._making = threading.RLock()


def _closed(value: object) -> None:
    close = getattr(value, "close", None)
    if callable(close):
        close()


@overload
def resource(
    factory: Callable[[], T], *, per: Per = "thread", close: Callable[[T], object] | None = None
) -> Resource[T]: ...
@overload
def resource(
    factory: None = None, *, per: Per = "thread", close: Callable[[Any], object] | None = None
) -> Callable[[Callable[[], T]], Resource[T]]: ...
def resource(
    factory: Callable[[], T] | None = None,
    *,
    per: Per = "thread",
    close: Callable[[T], object] | None = None,
) -> Resource[T] | Callable[[Callable[[], T]], Resource[T]]:
    """Make a resource of a function that opens something; also as a decorator.

    It is closed when the worker ends in order: retired, recycled, drained, restarted or with the
    server. A worker that is killed closes nothing, as with any program. In threads that a task
    started itself it is left to Python when the thread ends.

    Args:
        factory: Opens it; called without arguments, at first use.
        per: "thread" for what one thread alone may use, such as a connection of `sqlite3`;
            "process" for what is made to be shared by threads, such as a pool of connections.
        close: Ends it; by default its own method `close`, if it has one. An error is logged.

    Returns:
        What returns the open thing when it is called.

    Raises:
        ValueError: If `per` is neither.
    """
    if per not in {"thread", "process"}:
        raise ValueError(f'per is "thread" or "process", not {per!r}')
    if factory is None:
        return lambda made: Resource(made, per, close)
    return Resource(factory, per, close)


def close_own() -> None:
    """Close what the calling thread has; for a thread that is about to end."""
    _of_thread.value.close()


def close() -> None:
    """Close what the calling thread and the process have; for a process that is about to end."""
    close_own()
    _of_process.close()


atexit.register(close)  # after all that the user's modules have registered

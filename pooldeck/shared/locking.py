"""Proxies of shared locks and semaphores, and what each thread holds of them.

A task that ends gives back what it still holds.
"""

import logging
from contextlib import suppress
from typing import Final, Self

from pooldeck.context import CurrentTask, current_task
from pooldeck.per_thread import PerThread
from pooldeck.shared.backend import backend, current_holder
from pooldeck.shared.errors import SharedError
from pooldeck.shared.proxies import Proxy

_log = logging.getLogger("pooldeck.shared")


class LockProxy(Proxy):
    """What locks and semaphores have in common.

    `with` raises a `TimeoutError` where the permit does not come in time.

    Args:
        name: Its name among those of its kind.
        timeout: How long `with` waits, in seconds; None for as long as it takes.
    """

    def __init__(self, name: str, timeout: float | None = None) -> None:
        super().__init__(name)
        self._timeout = timeout

    def acquire(self, timeout: float | None = None) -> bool:
        """Take a permit; who asks first gets it first.

        It belongs to the thread that takes it, and is taken back when that thread, its task or its
        worker ends, however it ends.

        Args:
            timeout: How long to wait, in seconds; None for as long as it takes.

        Returns:
            Whether it came in time.

        Raises:
            NotHeldError: If this thread holds the only permit already.
        """
        request = (self.kind, self.name, self._settings, current_holder(), timeout)
        is_held = bool(backend().call("acquire", *request))
        if is_held:
            task = current_task()
            task.at_end(_release_left)
            _held.value.append((task, self))
        return is_held

    def release(self) -> None:
        """Give a permit back.

        Raises:
            NotHeldError: If this thread holds none.
        """
        _forget(self)
        self._call("release")

    def __enter__(self) -> Self:
        if not self.acquire(self._timeout):
            raise TimeoutError(f"{self!r} was not free within {self._timeout:g} seconds")
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Lock(LockProxy):
    """A lock that one thread of all workers holds at a time."""

    kind = "lock"


class Semaphore(LockProxy):
    """So many permits, shared by all workers.

    Args:
        name: Its name.
        permits: How many; who says it last has the last word.
        timeout: How long `with` waits, in seconds; None for as long as it takes.

    Raises:
        ValueError: If there are none.
    """

    kind = "semaphore"

    def __init__(self, name: str, permits: int, timeout: float | None = None) -> None:
        if permits < 1:
            raise ValueError(f"a semaphore has at least one permit, not {permits}")
        super().__init__(name, timeout)
        self._settings = {"permits": permits}


_held: Final[PerThread[list[tuple[CurrentTask, LockProxy]]]] = PerThread(list)
"""What a thread holds, each with the task that took it, the latest last."""


def _forget(lock: LockProxy) -> None:
    """Take a lock off the list of this thread: it is given back, or lost."""
    for place, (_, held) in enumerate(_held.value):
        if type(held) is type(lock) and held.name == lock.name:
            del _held.value[place]
            return


def _release_left() -> None:
    """Give back what the task that has just ended here still holds, and say so in its log.

    What was taken outside of a task, as in an initializer, stays.
    """
    ended = current_task()
    for lock in [lock for task, lock in reversed(_held.value) if task is ended]:
        _log.warning(
            "the task ended without giving back %s %r: it is released now",
            type(lock).__name__,
            lock.name,
        )
        with suppress(SharedError):  # it was lost, or is out of reach
            lock.release()

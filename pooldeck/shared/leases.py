"""What a thread holds of locks and semaphores, so that no task leaves one locked behind it."""

import logging
import threading
from contextlib import suppress
from typing import Protocol

from pooldeck.context import CurrentTask, current_task
from pooldeck.shared.errors import SharedError

_log = logging.getLogger("pooldeck.shared")


class Releasable(Protocol):
    """A lock or a semaphore."""

    name: str

    def release(self) -> None:
        """Give it back."""


class _ThreadLeases(threading.local):
    """What a thread holds, each with the task that took it, the latest last."""

    def __init__(self) -> None:
        self.held: list[tuple[CurrentTask, Releasable]] = []


_own = _ThreadLeases()


def note(lease: Releasable) -> None:
    """Note that this thread has got a permit."""
    task = current_task()
    task.at_end(settle)
    _own.held.append((task, lease))


def drop(lease: Releasable) -> None:
    """Note that this thread gives back a permit, or has lost it."""
    for place, (_, held) in enumerate(_own.held):
        if type(held) is type(lease) and held.name == lease.name:
            del _own.held[place]
            return


def settle() -> None:
    """Give back what the task that has just ended here still holds, and say so in its log.

    What was taken outside of a task, as in an initializer, stays.
    """
    ended = current_task()
    for lease in [lease for task, lease in reversed(_own.held) if task is ended]:
        _log.warning(
            "the task ended without giving back %s %r: it is released now",
            type(lease).__name__,
            lease.name,
        )
        with suppress(SharedError):  # it was lost, or is out of reach
            lease.release()

"""Kinds of pools, and what a kind means for the workers and for the calls in them.

Whoever acts on a pool asks its kind here and compares no names: `KINDS[spec.kind].can_kill`. What a
kind is called in the reader's language stands in the server's `web.text.kinds`, what runs the calls
in a worker in `pooldeck.worker.__main__`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from msgspec import Struct

_T = TypeVar("_T")


class PoolKind(StrEnum):
    """What the slots of a pool are."""

    THREAD = "thread"
    PROCESS = "process"


class Ending(StrEnum):
    """How a call in a worker's hands ends if it is killed by hand."""

    WORKER_ENDED = "worker_ended"  # its worker ends with it: cancelled
    COMMAND_ENDED = "command_ended"  # its command ends, its worker goes on: cancelled
    ABANDONED = "abandoned"  # its thread cannot be ended and may run on: failed
    NEVER_STARTED = "never_started"  # it waits behind another in its worker: cancelled
    UNREACHED = "unreached"  # its host has no contact: it is killed when it has, if it still runs


class Kind(Struct, frozen=True):
    """What differs between the kinds of pools.

    Attributes:
        one: What a slot is, in English.
        many: What several are.
        is_alone: Whether a call has its worker process to itself: whatever the process does, that
            call does, and calls that were handed over after it wait behind it. If not, the pool is
            one worker with all slots, and its calls share a GIL and whatever else a process has.
        function: How a function that runs ends if it is killed.
        command: The same of a declared command.
        default_size: Says how many slots a pool has on so many CPUs if nobody does.
        spares: How many ready workers it keeps beside those of its size if nobody says; a kind with
            none can have none.
    """

    one: str
    many: str
    is_alone: bool
    function: Ending
    command: Ending
    default_size: Callable[[int], int]
    spares: int

    @property
    def can_kill(self) -> bool:
        """Tell whether any call can be ended by force, and no other with it."""
        return self.function is Ending.WORKER_ENDED

    @property
    def suits_waiting(self) -> bool:
        """Tell whether what waits belongs here, since a further slot costs little."""
        return not self.is_alone

    def counted(self, size: int) -> str:
        """Return so many slots in English, such as "8 threads"."""
        return f"{size} {self.one if size == 1 else self.many}"

    def workers(self, size: int) -> int:
        """Return how many workers make up a size."""
        return size if self.is_alone else 1

    def slots_per_worker(self, size: int) -> int:
        """Return how many of the slots of a size each of its workers has."""
        return 1 if self.is_alone else size

    def gils(self, size: int) -> int:
        """Return how many calls in a pool of a size can hold a GIL at the same time."""
        return self.workers(size)

    def at_risk(self, calls: Iterable[_T]) -> Sequence[_T]:
        """Return those of a worker's calls that run or may run; the others wait behind the first.

        Args:
            calls: All that were handed to the worker and have not ended, the oldest first.
        """
        return list(islice(calls, 1 if self.is_alone else None))

    def ending_of(self, *, is_command: bool) -> Ending:
        """Return how a call that runs ends if it is killed by hand."""
        return self.command if is_command else self.function


KINDS: Final[Mapping[PoolKind, Kind]] = {
    PoolKind.THREAD: Kind(
        one="thread",
        many="threads",
        is_alone=False,
        function=Ending.ABANDONED,
        command=Ending.COMMAND_ENDED,
        default_size=lambda cpus: min(32, cpus + 4),  # as in the stdlib
        spares=0,
    ),
    PoolKind.PROCESS: Kind(
        one="process",
        many="processes",
        is_alone=True,
        function=Ending.WORKER_ENDED,
        command=Ending.WORKER_ENDED,
        default_size=lambda cpus: cpus,
        spares=1,
    ),
}
"""All kinds, those whose slots cost less before those whose slots cost more."""


def cheapest(*, is_alone: bool) -> PoolKind:
    """Return the cheapest kind whose calls have their process to themselves, or share one."""
    return next(name for name, kind in KINDS.items() if kind.is_alone is is_alone)

"""Kinds of pools, and what a kind means for the workers and for the calls in them.

Whoever acts on a pool asks its kind here and compares no names: `KINDS[spec.kind].can_kill`.
"""

from collections.abc import Iterable, Mapping, Sequence
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


class Kind(Struct, frozen=True):
    """What differs between the kinds of pools.

    Attributes:
        is_alone: Whether a call has its worker process to itself: whatever the process does, that
            call does, and calls that were handed over after it wait behind it.
        function: How a function that runs ends if it is killed.
        command: The same of a declared command.
    """

    is_alone: bool
    function: Ending
    command: Ending

    @property
    def can_kill(self) -> bool:
        """Tell whether any call can be ended by force, and no other with it."""
        return self.function is Ending.WORKER_ENDED

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
    PoolKind.THREAD: Kind(is_alone=False, function=Ending.ABANDONED, command=Ending.COMMAND_ENDED),
    PoolKind.PROCESS: Kind(
        is_alone=True, function=Ending.WORKER_ENDED, command=Ending.WORKER_ENDED
    ),
}

"""Deletions of many tasks, which go on after the request that began them."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

MOST_AT_ONCE: Final = 2000
"""Up to so many tasks are deleted while their request waits: it takes some seconds."""


class DeletionState(StrEnum):
    """What became of a deletion."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by somebody, or by the end of the server; the rest is still there
    FAILED = "failed"  # the store did not take it; the same holds


class BulkDeletion(Struct, frozen=True):
    """A deletion of `matched` tasks, as many as had ended when it began.

    `outcomes` counts what was deleted so far, and why others stay. `problem` says why it did not
    come to its end. Times are in microseconds since the epoch.
    """

    id: str
    matched: int
    began_at: int
    state: DeletionState = DeletionState.RUNNING
    outcomes: dict[str, int] = {}
    ended_at: int | None = None
    problem: str | None = None

    @property
    def looked_at(self) -> int:
        """How many tasks were deleted or stay, so far."""
        return sum(self.outcomes.values())

"""The states of a task and every move between them, in one table."""

from enum import StrEnum


class State(StrEnum):
    """Where a task is; the `concurrent.futures` state beside it is `future_state(state)`."""

    SCHEDULED = "scheduled"  # waits for a time, a retry delay, or tasks that it comes after
    QUEUED = "queued"  # may run as soon as a slot is free
    RUNNING = "running"  # a worker reported that it started
    SUCCEEDED = "succeeded"  # returned
    FAILED = "failed"  # ended with an error
    CANCELLED = "cancelled"  # stopped before it ran, or killed on request
    LOST = "lost"  # it ran or may have run, and nobody can know how it ended


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST})
LIVE = frozenset(State) - FINAL

MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.FAILED, State.CANCELLED, State.LOST}),
    State.QUEUED: FINAL | {State.SCHEDULED, State.RUNNING},
    State.RUNNING: FINAL | {State.SCHEDULED, State.QUEUED},
    State.SUCCEEDED: frozenset({State.QUEUED}),
    State.FAILED: frozenset({State.QUEUED, State.SCHEDULED}),
    State.CANCELLED: frozenset({State.QUEUED, State.SCHEDULED}),
    State.LOST: frozenset({State.QUEUED}),
}
"""From each state, the states that a task may move to.

QUEUED leads straight to the final states because the store may learn of a start and an end in the
same commit, and because a worker can die with a task in hand that it never started. QUEUED and
RUNNING lead back to SCHEDULED and QUEUED where an attempt ended and the server begins another; a
final state leads to QUEUED where somebody asks for another. SCHEDULED leads to FAILED where results
of other tasks make no arguments for one; if it is retried, it waits for them again. And to LOST
where it waited in a backup, and somebody says that it may have run since.
"""

_FUTURE = {
    State.SCHEDULED: "PENDING",
    State.QUEUED: "PENDING",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "FINISHED",
    State.FAILED: "FINISHED",
    State.CANCELLED: "CANCELLED",
    State.LOST: "FINISHED",
}


def future_state(state: State) -> str:
    return _FUTURE[state]

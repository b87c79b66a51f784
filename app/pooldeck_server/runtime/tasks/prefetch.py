"""How far the claims of a pool run ahead of its free slots, in seconds of slots.

A claim costs a commit, and a slot is not to wait for one. So claims may run ahead as far as the
slots get through while a claim is on its way to the disk, and by no more than that: what is claimed
and has not begun is lost to a crash. It is plain arithmetic, fed by the dispatcher.
"""

from typing import Final, NamedTuple

PATIENCE: Final = 0.2
"""Seconds after which a call that runs counts as long; where all do, nothing stays claimed."""

LONGEST_WAIT: Final = 1.0
"""Seconds that a claim may wait while its pool gets through others, and a call for its start."""

_SMOOTHING: Final = 0.2  # weight of the newest figure in the running mean
_RECOVERY: Final = 1.05  # by which the lead grows again with each claim
_AT_FIRST: Final = 0.002  # seconds that a claim takes, as long as nobody knows


class Reservation(NamedTuple):
    """A place for a task that is being stored: its expected work, and when it was asked for."""

    seconds: float
    asked_at: float


class Prefetch:
    """The lead of one pool."""

    def __init__(self) -> None:
        self.reserved = 0  # tasks that are stored and claimed by a commit on its way
        self.claiming = 0.0  # work of the tasks whose claim is on its way
        self._claim_seconds = _AT_FIRST
        self._share = 1.0  # of the lead, that has not turned out to be too much

    def add_claim(self, seconds: float) -> None:
        """Take down how long a claim took; a running mean is kept."""
        self._share = min(1.0, _RECOVERY * self._share)
        self._claim_seconds += _SMOOTHING * (seconds - self._claim_seconds)

    def cut(self) -> None:
        """Note that claims came too soon: run half as far ahead.

        They do so again and again where workers get too little of the CPU.
        """
        self._share /= 2

    def most(self, slots: int) -> float:
        """Return how far claims may be ahead.

        It is twice what the slots get through during one claim: one share is used up while the
        next claim is on its way, the other is what that claim brings.
        """
        return 2 * self._share * self._claim_seconds * slots

    def left(self, slots: int, claimed: float) -> float:
        """Return how much more than `claimed` may be claimed now, for so many slots.

        Nothing is, before half of the lead is used up, since a claim costs a commit.
        """
        most = self.most(slots)
        return most - claimed if claimed < most / 2 else 0.0

    def has_time_for(self, seconds: float, slots: int, claimed: float) -> bool:
        """Tell whether one more task may be claimed by the commit that stores it."""
        coming = self.claiming + seconds * (1 + self.reserved)
        return claimed + coming <= self.most(slots)

"""A drain of the whole server: the order to take nothing new, and how far it is.

Times are microseconds since the epoch.
"""

from typing import Final

from msgspec import Struct

MAX_SECONDS: Final = 7 * 86400
"""The longest time that a drain may be given, in seconds."""


class DrainOrder(Struct, frozen=True, kw_only=True):
    """Somebody's order to take nothing new, until it is taken back or the server ends."""

    by: str  # the name of who asked
    since: int
    reason: str | None = None
    until: int | None = None  # when the time is over that it was given; None: there is no such
    stops: bool = False  # the server ends when nothing runs, or when the time is over
    finishes_queue: bool = False  # what is queued runs first


class DrainProgress(Struct, frozen=True, kw_only=True):
    """How far a drain is at one moment. Durations are seconds."""

    order: DrainOrder
    running: int  # tasks that workers have
    queued: int  # tasks that it waits for beside them; 0 where these are left to the next start
    left: float | None  # of its time; None if it was given none
    about: float | None  # until what runs has ended, by usual durations; None where one is unknown

    @property
    def is_done(self) -> bool:
        return not self.running and not self.queued


class Drained(Struct, frozen=True):
    """Who had the server drained before it ended, and why."""

    by: str
    reason: str | None = None

    @property
    def words(self) -> str:
        return f"{self.by} ({self.reason})" if self.reason else self.by

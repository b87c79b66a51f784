"""Copies of a database: what a backup knows of itself, and the word that one waits for.

Times are microseconds since the epoch.
"""

from typing import Final, Literal

from msgspec import Struct

Word = Literal["run", "lost"]
"""What becomes of the tasks that waited in a copy: they run, or they are recorded as lost."""


NAME: Final = "pooldeck-%Y%m%dT%H%M%SZ.sqlite3"
"""The names of backups that are given none, by their time (UTC)."""

SCHEDULED: Final = "%Y%m%dT%H%M%SZ.sqlite3"
"""What the names of those that a server makes by itself end with: their order is that of time."""


class Identity(Struct, frozen=True):
    """Which database it is; of a copy, which one it was copied from, and when.

    What waited in a copy may have run since in the database that it was copied from. So nothing of
    it runs until somebody says whether it is to.
    """

    id: str
    copied_from: str | None = None
    copied_at: int | None = None
    through: int | None = None  # the newest task's number when it was copied
    settled_at: int | None = None  # when somebody said what becomes of its tasks

    @property
    def waits_for_a_word(self) -> bool:
        return self.copied_at is not None and self.settled_at is None


class Copied(Struct, frozen=True):
    """What is in a copy that was made and checked."""

    path: str
    bytes: int
    tasks: int
    waiting: int  # of these: queued, scheduled or running when it was made
    seconds: float  # that it took

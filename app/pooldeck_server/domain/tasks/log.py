"""The log of an attempt: its lines, and which of them somebody looks at."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Level: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

LEVELS: Final[tuple[Level, ...]] = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""The standard library's levels, the least first; a log may hold others, which are always shown."""


class LogEntry(Struct, frozen=True, gc=False):
    """One line of an attempt's log, as stored; `n` counts from 1 within the attempt."""

    seq: int
    attempt: int
    n: int
    at: int
    level: str
    source: str
    message: str


class LogWindow(Struct, frozen=True):
    """Up to `limit` lines of an attempt's log: its end, or those beside a line.

    `after` takes the lines that follow that number, `before` those that lead up to it; `after`
    counts where both are given. `attempt` None is the latest attempt, `level` the least to show.
    """

    limit: int
    attempt: int | None = None
    after: int | None = None
    before: int | None = None
    level: Level | None = None

    @property
    def hidden(self) -> tuple[Level, ...]:
        return () if self.level is None else LEVELS[: LEVELS.index(self.level)]

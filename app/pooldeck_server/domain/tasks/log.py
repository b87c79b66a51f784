"""The logs of attempts and of workers: their lines, and which of them somebody looks at."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Level: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

LEVELS: Final[tuple[Level, ...]] = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""The standard library's levels, the least first; a log may hold others, which are always shown."""


ERRORS: Final[tuple[Level, ...]] = ("ERROR", "CRITICAL")
"""The levels of what a log that is over its bounds keeps the longest."""


class LogEntry(Struct, frozen=True, gc=False):
    """One line of an attempt's log, as written; `n` counts from 1 within the attempt.

    Numbers that are missing are those of lines that were left out. A line that `is_open` is not
    finished; it is written again, under the same number, when it has grown.
    """

    seq: int
    attempt: int
    n: int
    at: int
    level: str
    source: str
    message: str
    is_open: bool = False


class WorkerEntry(Struct, frozen=True, gc=False):
    """One line of a worker's own log, as written; `n` counts from 1 within the worker."""

    worker: str
    n: int
    at: int
    level: str
    source: str
    message: str
    is_open: bool = False


class StoredLine(Struct, frozen=True):
    """One line of a log, as read. Before it, `left_out` lines are missing.

    These are counted from the line before it that was asked for, or from where the reading began.
    """

    n: int
    at: int
    level: str
    source: str
    message: str
    is_open: bool
    left_out: int


class LogCut(Struct, frozen=True):
    """Lines of an attempt's log that are kept no longer, those from `first` to `last`.

    All of them, or all but errors and unfinished ones.
    """

    seq: int
    attempt: int
    first: int
    last: int
    takes_all: bool


class LogWindow(Struct, frozen=True):
    """Up to `limit` lines of an attempt's log: its end, or those beside a line.

    `after` takes the lines that follow that number, and those of the numbers `again`; `before`
    takes those that lead up to it. `after` counts where both are given. `attempt` None is the
    latest attempt, `level` the least to show; `text` is what messages or sources have to contain.
    """

    limit: int
    attempt: int | None = None
    after: int | None = None
    before: int | None = None
    level: Level | None = None
    again: tuple[int, ...] = ()
    text: str | None = None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.hidden or self.text)

    @property
    def hidden(self) -> tuple[Level, ...]:
        return () if self.level is None else LEVELS[: LEVELS.index(self.level)]

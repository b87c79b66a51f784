"""Searching the logs of all tasks: what is looked for, what was found, and how far was looked."""

from msgspec import Struct

from pooldeck_server.domain.tasks.log import LEVELS, Level


class LogSearch(Struct, frozen=True):
    """Lines with `text` in their message or source, of at least `level`, of one function or all."""

    text: str
    function: str | None = None
    level: Level | None = None

    @property
    def hidden(self) -> tuple[Level, ...]:
        return () if self.level is None else LEVELS[: LEVELS.index(self.level)]


class FoundLine(Struct, frozen=True):
    """A line of some task's log; `at` is microseconds since the epoch."""

    task: str
    function: str
    attempt: int
    n: int
    at: int
    level: str
    source: str
    message: str


class FoundLines(Struct, frozen=True):
    """Some of the lines that a search finds, those of the newest tasks first.

    Looked at were the logs of the newest `looked_at` of about `tasks` tasks; `next_cursor` goes on
    from there, None where all were.
    """

    items: tuple[FoundLine, ...]
    looked_at: int
    tasks: int
    next_cursor: str | None

"""The logs of attempts and of workers, as the API shows them."""

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.tasks.log import StoredLine
from pooldeck_server.domain.tasks.log_search import FoundLines
from pooldeck_server.web.api.schemas.types import TaskId, Timestamp, shown, timestamp


class WorkerLogLine(Struct, frozen=True):
    """A line of a log; `n` counts from 1, lines that are not kept too."""

    n: int
    at: Timestamp
    level: str
    source: str
    message: str
    is_open: Annotated[
        bool, Meta(description="Not finished: later, its number may have more of it.")
    ]
    left_out: Annotated[
        int, Meta(description="How many lines are missing before it: the log was too long.")
    ]


class LogLine(WorkerLogLine, frozen=True):
    """A line of a task's log; `n` counts from 1 within its attempt."""

    attempt: int


class WorkerLogLines(Struct, frozen=True):
    """A part of a worker's own log; `next_after` asks for what follows, null at the present end."""

    items: list[WorkerLogLine]
    next_after: int | None

    @classmethod
    def of(cls, lines: Sequence[StoredLine], limit: int) -> Self:
        items = [shown(WorkerLogLine, line, at=timestamp(line.at)) for line in lines]
        return cls(items, _next(lines, limit))


class LogLines(Struct, frozen=True):
    """A part of a log; `next_after` asks for what follows, null at the present end."""

    items: list[LogLine]
    next_after: int | None

    @classmethod
    def of(cls, lines: Sequence[StoredLine], limit: int, attempt: int) -> Self:
        items = [shown(LogLine, line, at=timestamp(line.at), attempt=attempt) for line in lines]
        return cls(items, _next(lines, limit))


class FoundLogLine(Struct, frozen=True):
    """A line that a search has found, with its task; `n` counts from 1 within its attempt."""

    task: TaskId
    function: str
    attempt: int
    n: int
    at: Timestamp
    level: str
    source: str
    message: str


class FoundLogLines(Struct, frozen=True):
    """Lines that a search has found, those of the newest tasks first.

    `next_cursor` goes on, null where all logs have been looked at: there may be none found yet.
    """

    items: list[FoundLogLine]
    looked_at: Annotated[int, Meta(description="The newest tasks that were looked at so far.")]
    tasks: Annotated[int, Meta(description="How many tasks there are about.")]
    next_cursor: str | None

    @classmethod
    def of(cls, found: FoundLines) -> Self:
        items = [shown(FoundLogLine, line, at=timestamp(line.at)) for line in found.items]
        return cls(items, found.looked_at, found.tasks, found.next_cursor)


def _next(lines: Sequence[StoredLine], limit: int) -> int | None:
    return lines[-1].n if len(lines) == limit else None

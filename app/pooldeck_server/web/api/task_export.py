"""A list of tasks as one file, sent in pieces: no more than a page of it is in memory."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final, Literal

from pooldeck_server.domain.tasks.filter import Sort, TaskFilter
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.csv_rows import csv_rows, json_lines
from pooldeck_server.web.api.schemas.types import optional_timestamp, timestamp
from pooldeck_server.web.api.shown import shown_task
from pooldeck_server.web.http.sight import Sight

MOST: Final = 100_000
"""Tasks of one file."""

_AT_ONCE: Final = 500
_COLUMNS: Final[dict[str, Callable[[StoredTask], Any]]] = {
    "id": lambda task: task.id,
    "function": lambda task: task.function,
    "pool": lambda task: task.pool,
    "state": lambda task: task.state.value,
    "error_kind": lambda task: task.error_kind,
    "error_type": lambda task: task.error_type,
    "error_message": lambda task: task.error_message,
    "attempt": lambda task: task.attempt,
    "priority": lambda task: task.priority,
    "tags": lambda task: " ".join(task.tags),
    "created_at": lambda task: timestamp(task.created_at),
    "started_at": lambda task: optional_timestamp(task.started_at),
    "finished_at": lambda task: optional_timestamp(task.finished_at),
    "queued_seconds": lambda task: task.queued_seconds,
    "run_seconds": lambda task: task.run_seconds,
    "cpu_seconds": lambda task: task.cpu_seconds,
    "worker": lambda task: task.worker,
    "args": lambda task: task.args,
    "kwargs": lambda task: task.kwargs,
    "result": lambda task: task.result,
}


async def exported(
    server: Server, sight: Sight, wanted: TaskFilter, sort: Sort, as_: Literal["csv", "jsonl"]
) -> AsyncIterator[bytes]:
    """Yield the tasks that a filter fits, `MOST` at most, as they may be shown to who asks."""
    if as_ == "csv":
        yield csv_rows([_COLUMNS])
    cursor: str | None = None
    left = MOST
    while left > 0:
        limit = min(_AT_ONCE, left)
        page = await server.read(queries.tasks, wanted, limit, cursor, sort=sort)
        if page.items:
            yield _encoded(server, sight.tasks(page.items), as_)
        left, cursor = left - len(page.items), page.next_cursor
        if cursor is None:
            return


def _encoded(server: Server, tasks: Iterable[StoredTask], as_: str) -> bytes:
    if as_ == "csv":
        return csv_rows([value(task) for value in _COLUMNS.values()] for task in tasks)
    return json_lines(shown_task(server, task) for task in tasks)

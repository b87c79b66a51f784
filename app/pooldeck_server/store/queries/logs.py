"""The log of a task: from its first line on, or a part of it."""

from typing import Any

from sqlalchemy import Connection, Select, select

from pooldeck_server.domain.tasks.log import LogEntry, LogWindow
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import logs as log_lines
from pooldeck_server.store.tables import tasks


def logs(
    connection: Connection,
    task_id: str,
    after: int = 0,
    limit: int = 1000,
    attempt: int | None = None,
) -> list[LogEntry]:
    """Return up to `limit` lines of the log of an attempt, from number `after` + 1.

    `attempt` counts from 1; without it, the lines are those of the task's latest attempt.
    """
    return log_window(connection, task_id, LogWindow(limit, attempt, after=after))


def log_window(connection: Connection, task_id: str, window: LogWindow) -> list[LogEntry]:
    lines = _bounded(_lines(task_id, window), window).limit(window.limit)
    return sorted(fetch_all(connection, lines, LogEntry), key=lambda entry: entry.n)


def _lines(task_id: str, window: LogWindow) -> Select[Any]:
    latest = select(tasks.c.attempt).where(tasks.c.id == task_id).scalar_subquery()
    return select(log_lines).where(
        log_lines.c.seq == select(tasks.c.seq).where(tasks.c.id == task_id).scalar_subquery(),
        log_lines.c.attempt == (latest if window.attempt is None else window.attempt),
        log_lines.c.level.not_in(window.hidden),
    )


def _bounded(lines: Select[Any], window: LogWindow) -> Select[Any]:
    if window.after is not None:
        return lines.where(log_lines.c.n > window.after).order_by(log_lines.c.n)
    if window.before is not None:
        lines = lines.where(log_lines.c.n < window.before)
    return lines.order_by(log_lines.c.n.desc())

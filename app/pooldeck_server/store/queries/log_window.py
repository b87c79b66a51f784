"""A part of a task's log: its end, what came since, or what stands before."""

from typing import Any

from sqlalchemy import Connection, Select, func, select

from pooldeck_server.domain.tasks.log import LogEntry, LogWindow
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.task_json import json_object
from pooldeck_server.store.tables import logs as log_lines
from pooldeck_server.store.tables import tasks


def log_window(connection: Connection, task_id: str, window: LogWindow) -> list[LogEntry]:
    """Return the lines of a task's log in `window`, in their order."""
    lines = _bounded(_lines(task_id, window), window).limit(window.limit).subquery()
    line = json_object({name: lines.c[name] for name in LogEntry.__struct_fields__})
    found = fetch(connection, select(func.json_group_array(line)), list[LogEntry])
    return sorted(found, key=lambda entry: entry.n)


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

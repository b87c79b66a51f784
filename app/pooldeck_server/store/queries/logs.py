"""The logs of tasks and of workers: from the first line on, or a part of them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    func,
    literal,
    or_,
    select,
    true,
)

from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import logs as log_lines
from pooldeck_server.store.tables import tasks, worker_logs, workers

_ONE: Final = literal(1)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")


def logs(
    connection: Connection,
    task_id: str,
    after: int = 0,
    limit: int = 1000,
    attempt: int | None = None,
) -> list[StoredLine]:
    """Return up to `limit` lines of the log of an attempt, from number `after` + 1.

    `attempt` counts from 1; without it, the lines are those of the task's latest attempt.
    """
    return log_window(connection, task_id, LogWindow(limit, attempt, after=after))


def log_window(connection: Connection, task_id: str, window: LogWindow) -> list[StoredLine]:
    """Return lines of the log of an attempt, in order."""
    return _lines(connection, log_lines, _owner(task_id, window.attempt), window)


def left_out(connection: Connection, task_id: str, attempt: int | None = None) -> int:
    """Return how many lines of the log of an attempt (the latest by default) are missing."""
    n = log_lines.c.n
    missing = select(func.coalesce(func.max(n) - func.count(), 0)).where(
        *_of(log_lines, _owner(task_id, attempt))
    )
    return int(connection.execute(missing).scalar_one())


def _owner(task_id: str, attempt: int | None) -> Mapping[str, Any]:
    latest = select(tasks.c.attempt).where(tasks.c.id == task_id).scalar_subquery()
    seq = select(tasks.c.seq).where(tasks.c.id == task_id).scalar_subquery()
    return {"seq": seq, "attempt": latest if attempt is None else attempt}


def worker_log(connection: Connection, worker: str, window: LogWindow) -> list[StoredLine]:
    """Return lines of a worker's own log, in order."""
    return _lines(connection, worker_logs, {"worker": worker}, window)


def is_in_worker_log(
    connection: Connection, worker: str, task_id: str, since: int, until: int | None
) -> bool:
    """Tell whether a worker's own log has lines of a time, or later ones that name a task.

    Times are in microseconds since the epoch.
    """
    is_beside = true() if until is None else worker_logs.c.at <= until
    found = select(_ONE).where(
        worker_logs.c.worker == worker,
        worker_logs.c.at >= since,
        or_(is_beside, worker_logs.c.source.contains(task_id, autoescape=True)),
    )
    return connection.execute(found.limit(1)).first() is not None


def is_worker(connection: Connection, worker: str) -> bool:
    """Tell whether there is or was a worker of that name; of one on a host, whether it spoke."""
    if "@" in worker:  # on a host, which numbers its own
        spoken = select(_ONE).where(worker_logs.c.worker == worker)
        return connection.execute(spoken.limit(1)).first() is not None
    pool, _, number = worker.rpartition("-")
    numbered = select(workers.c.last_number).where(workers.c.pool == pool)
    last = connection.execute(numbered).scalar_one_or_none() or 0
    return bool(_NUMBER.fullmatch(number)) and int(number) <= last


def _lines(
    connection: Connection, table: Table, owner: Mapping[str, Any], window: LogWindow
) -> list[StoredLine]:
    """Return the lines of a window, each with how many are missing before it."""
    others = table.alias("others")
    ones_before = select(others.c.n).where(
        *_of(others, owner), others.c.n < table.c.n, *_shown(others, window)
    )
    before = ones_before.order_by(others.c.n.desc()).limit(1).scalar_subquery()
    lines = select(
        *(table.c[name] for name in ("n", "at", "level", "source", "message")),
        func.iif(table.c.is_open, "true", "false").label("is_open"),
        func.max(func.coalesce(before, 0), window.after or 0).label("before"),
    ).where(*_of(table, owner), *_shown(table, window))
    found = _bounded(lines, table.c.n, window).limit(window.limit).subquery()
    missing = found.c.n - 1 - found.c.before
    if window.is_narrowed:
        between = select(func.count()).where(
            *_of(others, owner), others.c.n > found.c.before, others.c.n < found.c.n
        )
        missing -= between.scalar_subquery()
    shown = select(found, func.max(missing, 0).label("left_out")).order_by(found.c.n)
    return fetch_all(connection, shown, StoredLine, json=("is_open",))


def _of(table: FromClause, owner: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in owner.items()]


def _shown(table: FromClause, window: LogWindow) -> list[ColumnElement[bool]]:
    level = table.c.level.not_in(window.hidden)
    return [level] if window.text is None else [level, holds_text(table, window.text)]


def holds_text(table: FromClause, text: str) -> ColumnElement[bool]:
    """Return the condition that a line has a text in its message or its source."""
    places = (table.c.message, table.c.source)
    return or_(*(place.contains(text, autoescape=True) for place in places))


def _bounded(lines: Select[Any], n: ColumnElement[int], window: LogWindow) -> Select[Any]:
    if window.after is not None:
        return lines.where(or_(n > window.after, n.in_(window.again))).order_by(n)
    if window.before is not None:
        lines = lines.where(n < window.before)
    return lines.order_by(n.desc())

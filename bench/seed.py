"""Fills a database that a server made with as many tasks as years would bring, by plain SQL.

The finished ones are spread over the last 30 days, two functions and two pools; one in fifty
failed, one in twenty ran for longer than a moment, and one in a hundred has a tag. The queued ones
stand in the pool `held`. What the server keeps beside the rows is made from them: counters,
activity, groups of errors and the index of arguments. So it cannot tell them from tasks of its own.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from pooldeck.outcome import Error
from pooldeck_server.domain.failures.error_groups import group_of

_DAYS_30 = 30 * 24 * 3600 * 1_000_000  # microseconds
_FILLING: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",  # of this connection only
    "PRAGMA journal_mode = OFF",  # what fails halfway is thrown away whole
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -262144",  # KiB
)
_ERROR: Final = '{"kind":"exception","type":"ValueError","message":"no such order"}'

_TASKS = """
WITH RECURSIVE numbers (i) AS (
    SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :finished + :queued
), timed AS (
    SELECT :last + i AS seq, i <= :finished AS is_finished, i % 49 = 0 AS has_failed,
        i % 10 < 7 AS is_echo, :start + i * :step AS at, (:start + i * :step) / 1000 AS ms,
        iif(i % 20, 3000, 10000 + i % 1009 * 1000) AS run
    FROM numbers
)
INSERT INTO tasks (
    seq, id, function, pool, state, attempt, priority, created_at, started_at, finished_at,
    queued_seconds, run_seconds, cpu_seconds, worker, pid, error_kind, error_group, tags,
    measurement, args, kwargs, result, error
)
SELECT
    seq,
    printf('%08x-%04x-7000-8000-%012x', ms >> 16, ms & 65535, seq),
    CASE WHEN NOT is_finished THEN 'bench.functions.occupy'
        WHEN is_echo THEN 'bench.functions.echo' ELSE 'bench.functions.noop' END,
    CASE WHEN NOT is_finished THEN 'held' WHEN is_echo THEN 'cpu' ELSE 'io' END,
    CASE WHEN NOT is_finished THEN 'queued' WHEN has_failed THEN 'failed' ELSE 'succeeded' END,
    is_finished, 0, at,
    iif(is_finished, at + 2000, NULL), iif(is_finished, at + 2000 + run, NULL),
    iif(is_finished, 0.002, NULL), iif(is_finished, run / 1e6, NULL),
    iif(is_finished, 0.001, NULL),
    iif(is_finished, 'cpu-1', NULL), iif(is_finished, 4242, NULL),
    iif(is_finished AND has_failed, 'exception', NULL),
    iif(is_finished AND has_failed, iif(is_echo, :echo_group, :noop_group), NULL),
    iif(seq % 100 = 0, '["nightly"]', NULL),
    iif(is_finished, '{"run":0.003,"cpu":0.001}', NULL),
    iif(is_finished AND is_echo, '["order ' || seq || '"]', '[]'), '{}',
    iif(is_finished AND NOT has_failed, iif(is_echo, '"order ' || seq || '"', 'null'), NULL),
    iif(is_finished AND has_failed, :error, NULL)
FROM timed
"""
_TAGS = "INSERT INTO task_tags SELECT 'nightly', seq FROM tasks WHERE seq > ? AND tags IS NOT NULL"
_GROUPS = """
INSERT INTO error_groups (
    id, kind, type, place, message, n, first_seen, last_seen, last_task, state
)
SELECT
    error_group, :kind, :type, :place, :message, count(*), min(finished_at), max(finished_at),
    max(id), 'open'
FROM tasks WHERE error_group = :id GROUP BY error_group
"""
_ERRORS_BY_HOUR = """
INSERT INTO error_counts
SELECT error_group, finished_at / 3600000000, function, count(*)
FROM tasks WHERE error_group IS NOT NULL GROUP BY 1, 2, 3
"""
_TEXTS = """
INSERT INTO argument_text (rowid, text)
SELECT seq, args || char(10) FROM tasks WHERE seq > ? AND args <> '[]' ORDER BY seq
"""
_INDEXED = "INSERT INTO search_progress SELECT coalesce(max(seq), 0) FROM tasks"
_COUNTERS = """
INSERT INTO counters SELECT pool, function, state, count(*) FROM tasks GROUP BY 1, 2, 3
"""
_ACTIVITY = """
INSERT INTO activity
SELECT
    finished_at / 60000000, pool, function, state, count(*), sum(queued_seconds), sum(run_seconds)
FROM tasks WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4
"""
_GROUP_KEYS: Final = {
    name: group_of(msgspec.json.decode(_ERROR, type=Error), f"bench.functions.{name}")
    for name in ("echo", "noop")
}
_INTERRUPT = """
UPDATE tasks
SET state = 'running', attempt = attempt + 1, claimed = 0, started_at = created_at + 2000,
    queued_seconds = 0.002, worker = 'held-1', pid = 4242, reruns = 0,
    options = iif(chosen.n % 2, '{"idempotent":true}', NULL)
FROM (
    SELECT seq, row_number() OVER (ORDER BY seq DESC) AS n FROM tasks
    WHERE state = 'queued' AND pool = 'held' ORDER BY seq DESC LIMIT ?
) AS chosen
WHERE tasks.seq = chosen.seq
"""


def fill(path: Path, finished: int, queued: int) -> None:
    """Add tasks to the database at `path`, whose server must not run; one that fails has ruined it.

    Args:
        path: A database that a server made.
        finished: How many finished tasks to add.
        queued: How many queued tasks to add.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for pragma in _FILLING:
            connection.execute(pragma).fetchall()
        connection.execute("BEGIN IMMEDIATE")
        with _indexes_down(connection):
            last = _insert(connection, finished, queued)
        connection.execute(_TAGS, (last,))
        _make_anew(connection, "counters", _COUNTERS)
        _make_anew(connection, "activity", _ACTIVITY)
        _make_anew(connection, "error_counts", _ERRORS_BY_HOUR)
        _group_errors(connection)
        connection.execute(_TEXTS, (last,))
        _make_anew(connection, "search_progress", _INDEXED)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()


def interrupt(path: Path, number: int) -> None:
    """Let queued tasks look as if their server had died while they ran; half are idempotent.

    Args:
        path: A database that `fill` has filled, whose server must not run.
        number: How many tasks.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_INTERRUPT, (number,))
        _make_anew(connection, "counters", _COUNTERS)
        connection.execute("COMMIT")


def _make_anew(connection: sqlite3.Connection, table: str, insert: str) -> None:
    """Fill a table that the server keeps up to date anew from the tasks."""
    connection.execute(f"DELETE FROM {table}")
    connection.execute(insert)


@contextlib.contextmanager
def _indexes_down(connection: sqlite3.Connection) -> Iterator[None]:
    """Drop the indexes of the tasks, which is faster than to keep them up, and make them again."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE type = 'index' AND tbl_name = 'tasks' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, create in found:
        connection.execute(create)


def _insert(connection: sqlite3.Connection, finished: int, queued: int) -> int:
    """Add tasks; return the number of the one before the first of them."""
    last: int = connection.execute("SELECT coalesce(max(seq), 0) FROM tasks").fetchone()[0]
    step = _DAYS_30 // (finished + queued)
    now = time.time_ns() // 1000
    connection.execute(
        _TASKS,
        {
            "finished": finished,
            "queued": queued,
            "last": last,
            "start": now - (finished + queued) * step,
            "step": step,
            "error": _ERROR,
            **{f"{name}_group": key.id for name, key in _GROUP_KEYS.items()},
        },
    )
    return last


def _group_errors(connection: sqlite3.Connection) -> None:
    for key in _GROUP_KEYS.values():
        connection.execute("DELETE FROM error_groups WHERE id = ?", (key.id,))
        connection.execute(_GROUPS, msgspec.structs.asdict(key))

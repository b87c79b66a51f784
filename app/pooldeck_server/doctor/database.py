"""The database: who uses it, whether it opens, is whole, and fits this version."""

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from pooldeck_server.doctor.findings import CheckResult, look, ok, size, wrong
from pooldeck_server.doctor.reading import Unreadable, is_whole, log_bytes, reading
from pooldeck_server.store.private_files import beside
from pooldeck_server.store.tables import SCHEMA

_TOPIC: Final = "database"
_LOCK: Final = "pooldeck.lock"
_CHECK_SECONDS: Final = 20.0
_STEPS: Final = 100_000  # of SQLite's machine between two looks at the clock
_LARGE_LOG: Final = 512 * 1024 * 1024  # bytes
_BACKUP: Final = "stop the server, and put a backup in its place: pooldeck restore FILE"


def look_at(database: Path) -> Iterator[CheckResult]:
    """Look at the lock, the file and what is in it."""
    holder = lock_holder(database.parent / _LOCK)
    yield _lock(holder, database.parent)
    if not database.exists():
        yield from _missing(database)
        return
    try:
        with reading(database) as connection:
            yield from _schema(connection, database)
            yield from _check(connection, database)
            yield from _log(database, is_used=holder is not None)
    except Unreadable as error:
        yield wrong(_TOPIC, f"{database} cannot be read ({error})", _advice(str(error)))


def _advice(words: str) -> str:
    if "locked" in words or "busy" in words:
        return "another program holds it: close that"
    if "open" in words or "readonly" in words or "permission" in words:
        return "run this as the server's user; if it is, mend owner and permissions of the folder"
    return _BACKUP


def _lock(holder: str | None, folder: Path) -> CheckResult:
    if holder is None:
        return ok(_TOPIC, f"no server uses {folder}")
    return ok(_TOPIC, f"in use by {_process(holder)}")


def _process(holder: str) -> str:
    try:
        name = psutil.Process(int(holder)).name()
    except (ValueError, psutil.Error):
        return f"process {holder}"
    return f"process {holder} ({name})"


def lock_holder(lock: Path) -> str | None:
    """Return the process that has locked a file, None if none has.

    The kernel's list is read: to try the lock would be to hold it, for a moment.
    """
    try:
        found, said = lock.stat(), lock.read_text(errors="replace").strip()
        entries = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    held = [entry[4] for entry in entries if _is_of(entry, found, said)]
    return (said or held[0]) if held else None


def _is_of(entry: list[str], found: os.stat_result, said: str) -> bool:
    """Tell whether an entry, as in "1: FLOCK ADVISORY WRITE 708 fe:00:1234 0 EOF", is of a file.

    Some file systems have another device there: the process has to be the one that the file names.
    """
    if len(entry) < 6 or entry[1] != "FLOCK":  # noqa: PLR2004 - its parts
        return False
    major, minor, number = entry[5].split(":")
    device = os.makedev(int(major, 16), int(minor, 16))
    return int(number) == found.st_ino and (device == found.st_dev or entry[4] == said)


def _missing(database: Path) -> Iterator[CheckResult]:
    if log_bytes(database):
        yield wrong(
            _TOPIC,
            f"{database} is missing, but its log {beside(database, 'wal').name} is there",
            "put the same database back; or move the log away, to begin anew or with a backup",
        )
    else:
        yield ok(_TOPIC, f"{database} is not there yet: the first start makes it")


def _schema(connection: sqlite3.Connection, database: Path) -> Iterator[CheckResult]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables:
        yield ok(_TOPIC, f"{database} is empty: the next start fills it")
        return
    if not {"alembic_version", "tasks"} <= tables:
        yield wrong(_TOPIC, f"{database} belongs to another program", "choose another data folder")
        return
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = str(row[0]) if row else ""
    number = connection.execute("SELECT sum(n) FROM counters").fetchone()[0] or 0
    words = f"{database}: {size(database.stat().st_size)}, {number:,} tasks, schema {revision}"
    if revision > SCHEMA:
        yield wrong(
            _TOPIC,
            f"{words}, and this version knows {SCHEMA} only",
            "start the newer version, or restore the copy that it kept: *.before-*",
        )
    elif revision < SCHEMA:
        yield look(
            _TOPIC,
            f"{words}: the next start brings it to {SCHEMA}",
            "make a backup first; it keeps a copy beside it, which needs as much room",
        )
    else:
        yield ok(_TOPIC, words)
    yield from _restored(connection, tables)


def _restored(connection: sqlite3.Connection, tables: set[str]) -> Iterator[CheckResult]:
    if "identity" not in tables:
        return
    row = connection.execute("SELECT copied_at, settled_at FROM identity").fetchone()
    if row and row[0] is not None and row[1] is None:
        yield look(
            _TOPIC,
            "it was put back from a backup, and its tasks wait for a word",
            "say on the page /restored whether they run or are lost",
        )


def _check(connection: sqlite3.Connection, database: Path) -> Iterator[CheckResult]:
    """Let SQLite check the file, for a bounded time."""
    if not is_whole(database):
        yield look(
            _TOPIC,
            f"a killed server left a log of {size(log_bytes(database))} beside it",
            "start the server: it writes the log back; then look again",
        )
        return
    until = time.monotonic() + _CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        problems = [text for (text,) in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.OperationalError as error:
        if "interrupt" not in str(error):
            raise
        yield look(
            _TOPIC,
            f"the check did not end within {_CHECK_SECONDS:.0f} s",
            "check a backup of it instead: pooldeck backup FILE checks what it has made",
        )
        return
    finally:
        connection.set_progress_handler(None, 0)
    if problems == ["ok"]:
        yield ok(_TOPIC, "SQLite's quick check finds nothing wrong")
    else:
        yield wrong(_TOPIC, f"it is damaged: {'; '.join(problems)}", _BACKUP)


def _log(database: Path, *, is_used: bool) -> Iterator[CheckResult]:
    found = log_bytes(database)
    if is_used and found > _LARGE_LOG:
        yield look(
            _TOPIC,
            f"its write-ahead log has {size(found)}",
            "another program keeps a reading connection open: close that",
        )

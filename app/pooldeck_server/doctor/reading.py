"""Reads a database without leaving a trace: no lock file, no log, no index beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pooldeck_server.store.private_files import beside

_BUSY_SECONDS: Final = 2.0


class Unreadable(Exception):  # noqa: N818  (a condition as the caller sees it)
    """The database cannot be read; the message says why."""


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to read it.

    Raises:
        Unreadable: If there is none, or it cannot be read, also in the middle of the body.
    """
    if not database.is_file():
        raise Unreadable("there is none yet")
    address = f"file:{quote(str(database.resolve()))}?{_mode(database)}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise Unreadable(str(error)) from error


def _mode(database: Path) -> str:
    """Return how to open it: SQLite would make a log and an index that are not there.

    Without an index the file alone is read, which has all but what a killed server's log holds.
    """
    if beside(database, "wal").exists() and beside(database, "shm").exists():
        return "mode=ro&readonly_shm=1"
    return "mode=ro&immutable=1"


def log_bytes(database: Path) -> int:
    """Return the size of the write-ahead log, 0 where there is none."""
    try:
        return beside(database, "wal").stat().st_size
    except OSError:
        return 0


def is_whole(database: Path) -> bool:
    """Tell whether what is read is all there is: no log that only a start can write back."""
    return not log_bytes(database) or beside(database, "shm").exists()

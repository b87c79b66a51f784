"""How SQLite is spoken to: one engine that writes and checkpoints, one that only reads."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event

from pooldeck_server.domain.tasks.states import State

_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = OFF",  # until there is something to erase: see `erase_from_now_on`
    "PRAGMA cache_size = -8192",  # KiB
    "PRAGMA temp_store = MEMORY",  # the journals of statements that change many rows
    "PRAGMA wal_autocheckpoint = 8000",  # pages: under load the same ones change again and again
    "PRAGMA journal_size_limit = 67108864",  # bytes
)
_READER = (
    "PRAGMA query_only = ON",
    "PRAGMA cache_size = -2048",
    # Checkpoints stay on the connection that writes: versions up to 3.51.2 can corrupt a database
    # where several do it.
    "PRAGMA wal_autocheckpoint = 0",
)

# The driver looks for three ways to adapt what is not exactly a `str`, unless it is told one.
sqlite3.register_adapter(State, str.__str__)


def writer_engine(path: Path, durability: str, busy_seconds: float) -> Engine:
    """Return an engine for the one connection that writes to `path`.

    `durability` is "full" (a commit survives a power cut) or "normal". A transaction waits up to
    `busy_seconds` for other programs.
    """
    pragmas = (*_WRITER, f"PRAGMA synchronous = {durability.upper()}")
    return _engine(path, pragmas, 1, busy_seconds)


def reader_engine(path: Path, connections: int, busy_seconds: float) -> Engine:
    """Return an engine for up to `connections` that only read `path`."""
    return _engine(path, _READER, connections, busy_seconds)


@contextmanager
def reading(reader: Connection) -> Iterator[None]:
    """Let all that is read on a connection meanwhile be of one moment.

    Past SQLAlchemy's own transactions, as in `begun`.
    """
    connection = driver(reader)
    connection.execute("BEGIN").close()
    try:
        yield
    finally:
        connection.commit()


@contextmanager
def begun(writer: Connection) -> Iterator[None]:
    """Open a transaction on the connection that writes; commit at the end, or roll back.

    To SQLAlchemy, whose own transactions would cost a commit as much as two more statements, the
    connection is in one from its first statement to its end.
    """
    connection = driver(writer)
    # Deferred transactions that read and then write fail at once and heed no time-out.
    connection.execute("BEGIN IMMEDIATE").close()
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def empty_log(writer: Connection) -> bool:
    """Write the log back into the database and empty it; return whether readers let that be.

    It waits for nobody: whoever writes next would have to wait as well.
    """
    connection = driver(writer)
    [(patience,)] = connection.execute("PRAGMA busy_timeout").fetchall()
    connection.execute("PRAGMA busy_timeout = 0").close()
    try:
        [(is_held, _, _)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience:d}").close()
    return not is_held


def erase_from_now_on(writer: Connection) -> None:
    """Overwrite what is deleted and replaced, not only let it go.

    The setting "FAST" would leave what takes pages of its own, as large arguments do.
    """
    driver(writer).execute("PRAGMA secure_delete = ON").close()


def erases(writer: Connection) -> bool:
    """Tell whether `erase_from_now_on` was called."""
    [(mode,)] = driver(writer).execute("PRAGMA secure_delete").fetchall()
    return bool(mode)


def _engine(path: Path, pragmas: tuple[str, ...], connections: int, busy_seconds: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=connections,
        hide_parameters=True,  # arguments may be secret, and long; errors are logged
        max_overflow=0,
        connect_args={
            "timeout": busy_seconds,
            "isolation_level": None,  # the driver begins nothing of its own
            "check_same_thread": False,  # each is used by one thread at a time
            "cached_statements": 512,  # batches are cut into several sizes: see `bulk`
        },
    )

    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(pragma).close()

    event.listen(engine, "connect", set_up)
    return engine


def driver(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection, which is in the transaction of SQLAlchemy's.

    For statements that are texts already: SQLAlchemy adds a third to the cost of short ones.
    """
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def has_wal_bug(version: tuple[int, int, int]) -> bool:
    """Tell whether SQLite `version` may corrupt a database in WAL mode (fixed in 3.51.3)."""
    major, minor, patch = version
    repaired = {(3, 44): 6, (3, 50): 7}.get((major, minor))
    return version < (3, 51, 3) and (repaired is None or patch < repaired)

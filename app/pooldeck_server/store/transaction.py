"""A write transaction: all of it or nothing, and its errors in the words of the domain."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pooldeck_server.domain.errors import DiskFull, StorageUnavailable
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.connections import begun
from pooldeck_server.store.ends import tell_ends
from pooldeck_server.store.tally import add_counts

_RETRY_SECONDS = 1


@dataclass(frozen=True)
class Transaction:
    """What the functions of `records` write to.

    They leave their moves here, so that neither the counters nor those who wait to be told of an
    end can be forgotten: both are written from `moves` before the commit. After it, `moves` is what
    may be announced. `gone` is how many tasks of each pool, function and state were deleted.
    """

    connection: Connection
    moves: list[TaskChanged] = field(default_factory=list)
    gone: Counter[tuple[str, str, State]] = field(default_factory=Counter)

    def moved(self, moves: list[TaskChanged]) -> list[TaskChanged]:
        self.moves.extend(moves)
        return moves


@contextmanager
def transaction(
    connection: Connection, path: Path, check: Callable[[], None]
) -> Iterator[Transaction]:
    """Open a transaction on the writer's `connection`; commit at the end, roll back on any error.

    The connection works again afterwards, whatever happened.

    Args:
        connection: The writer's.
        path: The database.
        check: Called before the commit; what it raises prevents it.

    Raises:
        StorageUnavailable: If another program holds the database, or `check` says so.
        DiskFull: If it could not be written.
    """
    with in_words(path), begun(connection):
        opened = Transaction(connection)
        yield opened
        add_counts(connection, opened.moves, opened.gone)
        tell_ends(connection, opened.moves)
        check()


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn the failures of the database at `path` that pass by themselves into errors of ours."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        code = primary_code(error)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StorageUnavailable(
                f"another program holds the database {path.name}; try again",
                retry_after=_RETRY_SECONDS,
            ) from error
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            raise DiskFull(
                f"the database {path.name} could not be written ({reason(error)}); "
                "make room on its disk and try again"
            ) from error
        raise


def primary_code(error: DBAPIError | sqlite3.Error) -> int | None:
    """Return SQLite's primary result code of `error`: extended codes carry it in their low byte."""
    code: int | None = getattr(reason(error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def reason(error: DBAPIError | sqlite3.Error) -> BaseException | None:
    """Return what the driver raised, which SQLAlchemy may have wrapped."""
    return error.orig if isinstance(error, DBAPIError) else error

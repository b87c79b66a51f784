"""The database: opened and locked once, written to by one connection, read from by a few.

`Database` belongs to the server. Its `transaction` is for one thread, the recorder's; a `Reader`
answers everybody else from threads of its own and is closed before the database.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pooldeck_server.domain.errors import CopyError, StartupError
from pooldeck_server.store.connections import (
    begun,
    empty_log,
    erases,
    has_wal_bug,
    reader_engine,
    reading,
    writer_engine,
)
from pooldeck_server.store.copies import keep_before_migration
from pooldeck_server.store.lock import Lock
from pooldeck_server.store.private_files import (
    beside,
    make_private,
    refuse_foreign,
    warn_of_open_folder,
)
from pooldeck_server.store.schema import prepare, revision_of
from pooldeck_server.store.standing import Standing
from pooldeck_server.store.tables import SCHEMA
from pooldeck_server.store.transaction import (
    Transaction,
    in_words,
    primary_code,
    reason,
    transaction,
)

P = ParamSpec("P")
T = TypeVar("T")

_LOCK = "pooldeck.lock"
_OWN = (_LOCK, "pooldeck.sqlite3", "workers")  # which nobody else may have put into the folder
_ADVICE: dict[int | None, str] = {
    sqlite3.SQLITE_NOTADB: "it is no database; move it away, or put a backup in its place",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a backup in its place",
    sqlite3.SQLITE_READONLY: "this process may not write to it; check its owner and permissions",
    sqlite3.SQLITE_CANTOPEN: "this process may not open it; check its owner and permissions",
    sqlite3.SQLITE_BUSY: "another program holds it; close that",
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "its disk is full or failing",
}
_log = logging.getLogger(__name__)


class Database:
    """A SQLite file that this process has locked, migrated, and alone writes to."""

    def __init__(
        self, path: Path, lock: Lock, engine: Engine, writer: Connection, busy_seconds: float
    ) -> None:
        self.path = path
        self.busy_seconds = busy_seconds
        self.lock = lock
        self.standing = Standing(path, lock)
        self._engine = engine
        self._writer = writer

    @classmethod
    def open(cls, path: Path, durability: str = "full", *, busy_seconds: float = 5.0) -> Self:
        """Open the database at `path`; what is missing is made.

        A transaction waits for another program for `busy_seconds`.

        Raises:
            StartupError: If it cannot be used: in use, damaged, read-only, of a newer version.
        """
        path = path.resolve()
        _warn_of_old_sqlite()
        with ExitStack() as undo:
            undo.enter_context(_startup_errors(path))
            lock = _lock_folder(path.parent)
            undo.callback(lock.release)
            _refuse_lone_log(path)
            make_private(path)
            engine = writer_engine(path, durability, busy_seconds)
            undo.callback(engine.dispose)
            writer = undo.enter_context(closing(engine.connect()))
            _keep_if_migrated(writer, path)
            with begun(writer):
                prepare(writer, path)
            empty_log(writer)  # what a killed server has erased still stands in there
            database = cls(path, lock, engine, writer, busy_seconds)
            undo.pop_all()
        return database

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Return a write transaction, for use by one thread: see `store.transaction`."""
        return transaction(self._writer, self.path, self.standing.check)

    @property
    def size_bytes(self) -> int:
        return _size(self.path)

    @property
    def wal_bytes(self) -> int:
        """Return the size of the write-ahead log: it grows while a reader stays open."""
        return _size(beside(self.path, "wal"))

    @property
    def erases(self) -> bool:
        """Tell whether there are sensitive arguments to erase; for the thread that writes."""
        return erases(self._writer)

    def empty_log(self) -> bool:
        """Write the log back into the file and empty it, on the thread that writes.

        What was erased from the file stands in the log until then.

        Returns:
            Whether it was done: a reader in the middle of a query keeps it from being emptied.
        """
        with in_words(self.path):
            return empty_log(self._writer)

    def close(self) -> None:
        """Close and unlock it. The last connection to close writes the log back into the file."""
        if self.standing.is_replaced():
            self._empty_log()
        self._writer.close()
        self._engine.dispose()
        self.lock.release()

    def _empty_log(self) -> None:
        """Write the log back into the file that was opened, wherever that is now.

        SQLite does not do so by itself when another file stands at the path, and would replay the
        log into that one when it is opened the next time.
        """
        try:
            empty_log(self._writer)
        except sqlite3.Error as error:
            log = beside(self.path, "wal")
            _log.warning("%s does not belong to %s: %s", log, self.path.name, error)


class Reader:
    """Runs queries on threads of its own, each in a short read transaction."""

    def __init__(self, database: Database, threads: int = 4) -> None:
        self._path = database.path
        self._engine = reader_engine(database.path, threads, database.busy_seconds)
        self._connections = ExitStack()
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        self._connect(threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    def _connect(self, number: int) -> None:
        """Make all connections now: later ones would open whatever is at the path by then."""
        with in_words(self._path), ExitStack() as made:
            for _ in range(number):
                connection = made.enter_context(self._engine.connect())
                connection.execute(text("SELECT 1 FROM runs LIMIT 1")).close()
                self._idle.put(connection)
            self._connections = made.pop_all()

    async def run(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return `query(connection, *args, **kwargs)`, run on a thread.

        Raises:
            StorageUnavailable: If another program keeps the database from being read.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self.call(query, *args, **kwargs))

    def call(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return `query(connection, *args, **kwargs)`, run here and now."""
        connection = self._idle.get()
        try:
            with in_words(self._path), reading(connection):
                return query(connection, *args, **kwargs)
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Wait for the queries that run, then close the connections."""
        self._threads.shutdown()
        self._connections.close()
        self._engine.dispose()


def _keep_if_migrated(writer: Connection, path: Path) -> None:
    """Keep a copy of a database that an earlier version has made: there is no way back from here.

    Raises:
        StartupError: If there is no room for one, say.
    """
    revision = revision_of(writer, path)
    if not "" < revision < SCHEMA:
        return
    try:
        kept = keep_before_migration(path, revision)
    except CopyError as error:
        raise StartupError(
            f"the database {path} is of an earlier version and cannot be kept as it is before it "
            f"is brought up to date ({error}); make room, or put a backup of it elsewhere and an "
            f"empty file at {path}.before-{revision}"
        ) from error
    _log.info("the database is brought up to date; as it was, it is kept as %s", kept.name)


def _lock_folder(folder: Path) -> Lock:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_foreign(folder, *(folder / name for name in _OWN))
        warn_of_open_folder(folder)
        return Lock.acquire(folder / _LOCK)
    except OSError as error:
        raise StartupError(f"the folder {folder} cannot be written: {error.strerror}") from error


def _refuse_lone_log(path: Path) -> None:
    """Stop before SQLite throws away the log of a database that is not where it was."""
    log = beside(path, "wal")
    if not path.exists() and log.exists() and log.stat().st_size:
        raise StartupError(
            f"the database {path} is missing but its log {log.name} is there; "
            "put the same database back, or move the log away to begin anew or with a backup"
        )


@contextmanager
def _startup_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says of an unusable file into one clear line."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        advice = _ADVICE.get(primary_code(error), "see what SQLite says of this")
        raise StartupError(
            f"the database {path} cannot be used ({reason(error)}): {advice}"
        ) from error


def _warn_of_old_sqlite() -> None:
    if has_wal_bug(sqlite3.sqlite_version_info):
        _log.warning(
            "SQLite %s (before 3.51.3) can corrupt what two programs write to: while the server "
            "runs, open the database with nothing else",
            sqlite3.sqlite_version,
        )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0

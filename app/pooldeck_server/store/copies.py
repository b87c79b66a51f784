"""Copies of a database: made while a server writes to it, and checked.

`VACUUM INTO` reads everything in one transaction: what is committed meanwhile neither disturbs it
nor is in it, and the server waits for nothing. A copy is made beside its final name, checked, and
synced before it gets that name; so whatever has the name is whole, also after a power cut.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pooldeck_server.domain.clock import Clock, SystemClock
from pooldeck_server.domain.copies import Copied
from pooldeck_server.domain.errors import CopyError
from pooldeck_server.domain.tasks.states import LIVE
from pooldeck_server.store.copy_files import (
    errors_in_words,
    exists,
    give_name,
    make_private,
    removed_at_the_end,
    sync,
)
from pooldeck_server.store.copy_marks import mark
from pooldeck_server.store.tables import SCHEMA

UNFINISHED: Final = ".part"
"""What the name of a copy ends with until it is whole."""

_BUSY_SECONDS: Final = 60.0
_NICE: Final = 10
_LOOK_STEPS: Final = 1000  # of SQLite's machine between two looks at the clock: a millisecond or so
_STRETCH: Final = 0.01  # seconds of work between two rests
_LEFT_OUT: Final = frozenset({"sessions", "tokens"})
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


@dataclass(eq=False)
class Copying:
    """One copy of a database, which `stop` ends from another thread."""

    source: Path
    target: Path
    clock: Clock = field(default_factory=SystemClock)
    is_marked: bool = True  # whether it is told that it is a copy
    rests: bool = False  # whether it leaves the disk to others half of the time
    _connection: sqlite3.Connection | None = field(init=False, default=None)
    _is_stopped: bool = field(init=False, default=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def make(self) -> Copied:
        """Copy `source`, which a server may be using, to `target`, which must not exist.

        Returns:
            What is in the copy, counted there.

        Raises:
            CopyError: If it cannot be made, or is not what it was made from; nothing is left.
        """
        began = time.monotonic()
        part = self.target.with_name(f"{self.target.name}.{os.getpid()}{UNFINISHED}")
        with errors_in_words(self.source, self.target), removed_at_the_end(part):
            if self.target.exists():
                raise exists(self.target)
            if not self.source.is_file():
                raise CopyError(f"there is no database {self.source}")
            part.unlink(missing_ok=True)
            make_private(part)
            with self._reading(self.source) as connection:
                _refuse_strange(connection, self.source)
                connection.execute("VACUUM INTO ?", (str(part),))
            with self._writing(part) as connection:
                tasks, waiting = _checked(connection, part)
                if self.is_marked:
                    mark(connection, self.clock.now())
            sync(part)
            give_name(part, self.target)
            sync(self.target.parent)
            took = time.monotonic() - began
            return Copied(str(self.target), self.target.stat().st_size, tasks, waiting, took)

    def stop(self) -> None:
        """End the copy where it is; `make` then raises `CopyError`."""
        with self._lock:
            self._is_stopped = True
            if self._connection is not None:
                self._connection.interrupt()

    @contextmanager
    def _reading(self, path: Path) -> Iterator[sqlite3.Connection]:
        # Read-only, it neither writes checkpoints nor keeps anybody else from doing so.
        with self._opened(f"{path.absolute().as_uri()}?mode=ro") as connection:
            yield connection

    @contextmanager
    def _writing(self, path: Path) -> Iterator[sqlite3.Connection]:
        with self._opened(f"{path.absolute().as_uri()}?mode=rw") as connection:
            yield connection

    @contextmanager
    def _opened(self, uri: str) -> Iterator[sqlite3.Connection]:
        with closing(
            sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        ) as connection:
            with self._lock:
                if self._is_stopped:
                    raise CopyError("the copy was stopped")
                self._connection = connection
            if self.rests:
                connection.set_progress_handler(_resting(), _LOOK_STEPS)
            try:
                yield connection
            finally:
                with self._lock:
                    self._connection = None


def keep_before_migration(database: Path, revision: str) -> Path:
    """Copy a database that is about to be migrated, and return the copy's path.

    One that an earlier try has made is taken, unless the database has changed since, as after a
    way back to the version before: then the copy gets a number behind its name.

    Raises:
        CopyError: If it cannot be copied: then it is not migrated either.
    """
    first = kept = database.with_name(f"{database.name}.before-{revision}")
    number = 1
    while kept.exists():
        is_by_hand = not kept.stat().st_size
        if is_by_hand or _figures(kept) == (_figures(database) or ()):
            return kept
        number += 1
        kept = first.with_name(f"{first.name}.{number}")
    Copying(database, kept).make()
    return kept


def _figures(path: Path) -> list[object] | None:
    """Return what tells a database from what it was before; None if it cannot be read.

    Of what a copy is made without, nothing is counted.
    """
    with suppress(sqlite3.Error), closing(_read_only(path)) as connection:
        read = connection.execute
        tables = [name for (name,) in read(_TABLES) if name not in _LEFT_OUT]
        found: list[object] = [
            (name, *read(f'SELECT count(*) FROM "{name}"').fetchone())  # noqa: S608
            for name in tables
        ]
        found += read("SELECT max(seq), max(finished_at), sum(attempt) FROM tasks").fetchall()
        return found + read("SELECT * FROM counters WHERE n > 0 ORDER BY 1, 2, 3").fetchall()
    return None


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)


def _refuse_strange(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what another program has made, or a newer version of this one."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not {"alembic_version", "tasks", "counters"} <= names:
        raise CopyError(f"{path} is no database of Pooldeck")
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision > SCHEMA:
        raise CopyError(
            f"{path} has schema {revision}, this version of Pooldeck knows {SCHEMA}; take the "
            "newer version"
        )


def _checked(connection: sqlite3.Connection, path: Path) -> tuple[int, int]:
    """Return how many tasks are in a copy, and how many of them wait or run.

    Raises:
        CopyError: If it is damaged, or its tasks are not as many as its counters say.
    """
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise CopyError(f"the copy of {path.name} is damaged: {verdict}")
    counted = dict(connection.execute("SELECT state, count(*) FROM tasks GROUP BY state"))
    noted = dict(
        connection.execute("SELECT state, sum(n) FROM counters GROUP BY state HAVING sum(n) > 0")
    )
    if counted != noted:
        raise CopyError(f"the copy of {path.name} has {counted} tasks; its counters say {noted}")
    return sum(counted.values()), sum(n for state, n in counted.items() if state in LIVE)


def _resting() -> Callable[[], int]:
    """Return what SQLite is to call now and then: it waits for as long as was worked before.

    A thread of low priority gives way on the CPU, but not on the disk, where commits wait for what
    it writes; and on a machine that is busy, half the caches of the CPU are its own.
    """
    resumed_at = time.monotonic()

    def rest() -> int:
        nonlocal resumed_at
        worked = time.monotonic() - resumed_at
        if worked >= _STRETCH:
            time.sleep(worked)
            resumed_at = time.monotonic()
        return 0

    return rest


def yield_to_others() -> None:
    """Let this thread, for as long as it lives, work only when nobody else wants the CPU."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)

"""Copies of a database: made while a server writes to it, checked, and put into its place again.

`VACUUM INTO` reads everything in one transaction: what is committed meanwhile neither disturbs it
nor is in it, and the server waits for nothing. A copy is made beside its final name, checked, and
synced before it gets that name; so whatever has the name is whole, also after a power cut.
"""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pooldeck_server.domain.alerts.deliveries import DeliveryState
from pooldeck_server.domain.clock import SECOND, Clock, SystemClock
from pooldeck_server.domain.copies import Copied
from pooldeck_server.domain.errors import CopyError
from pooldeck_server.domain.tasks.states import LIVE
from pooldeck_server.store.connections import begun, writer_engine
from pooldeck_server.store.lock import Lock
from pooldeck_server.store.schema import prepare
from pooldeck_server.store.tables import SCHEMA

UNFINISHED: Final = ".part"
"""What the name of a copy ends with until it is whole."""

_BUSY_SECONDS: Final = 60.0
_NICE: Final = 10
_LOOK_STEPS: Final = 1000  # of SQLite's machine between two looks at the clock: a millisecond or so
_STRETCH: Final = 0.01  # seconds of work between two rests
_IDENTITY_SINCE: Final = "0008"
_TOKENS_SINCE: Final = "0009"
_LEFT_OUT: Final = frozenset({"sessions", "tokens"})
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
_ALERTS_SINCE: Final = "0012"
_CALLBACKS_SINCE: Final = "0014"
_STANDING: Final = "SELECT copied_at, settled_at FROM identity"
_NOT_TOLD_AGAIN: Final = "it waited when the backup was made, and is not sent from a copy"
_TURNED_OFF: Final = "restored from a backup: turn on what should be told again"


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
        with _errors_in_words(self.source, self.target), _removed_at_the_end(part):
            if self.target.exists():
                raise _exists(self.target)
            if not self.source.is_file():
                raise CopyError(f"there is no database {self.source}")
            part.unlink(missing_ok=True)
            _make_private(part)
            with self._reading(self.source) as connection:
                _refuse_strange(connection, self.source)
                connection.execute("VACUUM INTO ?", (str(part),))
            with self._writing(part) as connection:
                tasks, waiting = _checked(connection, part)
                if self.is_marked:
                    _mark(connection, self.clock.now())
            _sync(part)
            _give_name(part, self.target)
            _sync(self.target.parent)
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


def put_back(copy: Path, database: Path, clock: Clock) -> tuple[Copied, Path | None]:
    """Put a copy into the place of `database`, which no server may be using.

    What is in its place by then is kept beside it. An end in the middle of this leaves one or the
    other there, whole.

    Returns:
        What was put there, and where what was there before is now (None if nothing was).

    Raises:
        CopyError: If the copy is none, is damaged or of a newer version.
        LockHeldError: If a server uses the place.
    """
    database = database.resolve()
    folder = database.parent
    with _errors_in_words(copy, database):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Lock.acquire(folder / "pooldeck.lock")
        try:
            return _put_back(copy, database, clock)
        finally:
            lock.release()


def _put_back(copy: Path, database: Path, clock: Clock) -> tuple[Copied, Path | None]:
    fresh = database.with_name(f"{database.name}.restoring")
    for left in (fresh, *_logs(fresh)):
        left.unlink(missing_ok=True)
    with _removed_at_the_end(fresh):
        made_at = int(copy.stat().st_mtime * SECOND)
        copied = Copying(copy, fresh, clock, is_marked=False).make()
        _bring_up_to_date(fresh, made_at)
        _look_once_more(fresh)
        before = _keep_aside(database, clock)
        fresh.replace(database)
        _sync(database.parent)
    return Copied(str(database), copied.bytes, copied.tasks, copied.waiting, copied.seconds), before


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


def _bring_up_to_date(path: Path, made_at: int) -> None:
    """Migrate a copy, and let it wait for a word on its tasks; one without a mark gets one."""
    engine = writer_engine(path, "full", _BUSY_SECONDS)
    try:
        with closing(engine.connect()) as writer:
            with begun(writer):
                prepare(writer, path)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                copied_at, settled_at = connection.execute(_STANDING).fetchone()
                if copied_at is None or settled_at is not None:
                    _mark(connection, made_at)
                else:  # it was taken, in whichever way, of one that waits for a word itself
                    _silence(connection)
    finally:
        engine.dispose()


def _look_once_more(path: Path) -> None:
    """Look at a copy as it will be in its place: one file, whole, and marked.

    Of a log that the last connection could not write back, SQLite says nothing when it closes.

    Raises:
        CopyError: If it is not so.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        copied_at, settled_at = connection.execute(_STANDING).fetchone()
    left = [log.name for log in _logs(path) if log.exists()]
    if (mode, verdict) != ("delete", "ok") or left or copied_at is None or settled_at is not None:
        raise CopyError(f"the copy could not be completed ({verdict}); is there room on its disk?")
    _sync(path)


def _keep_aside(database: Path, clock: Clock) -> Path | None:
    """Give what is in the place another name too, with all that its log has."""
    is_there = database.exists()
    if is_there:
        _empty_log(database)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock.now() / SECOND))
    kept = database.with_name(f"{database.name}.replaced-{stamp}")
    for log in _logs(database):  # of one that is gone, or too damaged to be opened
        if log.exists():
            log.rename(kept.with_name(kept.name + log.name.removeprefix(database.name)))
    if not is_there:
        return None
    os.link(database, kept)
    return kept


def _empty_log(database: Path) -> None:
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _logs(database: Path) -> tuple[Path, ...]:
    return tuple(database.with_name(database.name + end) for end in ("-wal", "-shm"))


def _exists(path: Path) -> CopyError:
    return CopyError(f"{path} exists; name another file, or move it away")


def _give_name(part: Path, target: Path) -> None:
    """Give a copy its name, unless another file has got that meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # no hard links there
        if target.exists():
            raise _exists(target) from None
        part.rename(target)


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


def _mark(connection: sqlite3.Connection, made_at: int) -> None:
    """Let a copy know that it is one; the schema of earlier versions has no room for that."""
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision < _IDENTITY_SINCE:
        return
    connection.execute(
        "UPDATE identity SET copied_from = id, id = ?, copied_at = ?, settled_at = NULL, "
        "through = (SELECT coalesce(max(seq), 0) FROM tasks)",
        (secrets.token_hex(8), made_at),
    )
    connection.execute("DELETE FROM sessions")  # of browsers that may have logged out since
    if revision >= _TOKENS_SINCE:
        connection.execute("DELETE FROM tokens")  # which may have been revoked since
    if revision >= _ALERTS_SINCE:
        _silence(connection)
    if revision >= _CALLBACKS_SINCE:
        _silence_callbacks(connection)


def _silence(connection: sqlite3.Connection) -> None:
    """Let a copy tell nobody anything: the server that it is a copy of does, or has done so."""
    connection.execute(
        "UPDATE deliveries SET state = ?, next_at = NULL, answer = ? WHERE state = ?",
        (DeliveryState.GIVEN_UP, _NOT_TOLD_AGAIN, DeliveryState.WAITING),
    )
    connection.execute(
        "UPDATE destinations SET is_on = 0, trouble = ? WHERE is_on = 1", (_TURNED_OFF,)
    )


def _silence_callbacks(connection: sqlite3.Connection) -> None:
    """Let a copy tell nobody of the ends of tasks either, for the same reason."""
    connection.execute(
        "UPDATE callback_deliveries SET state = ?, next_at = NULL, answer = ? WHERE state = ?",
        (DeliveryState.GIVEN_UP, _NOT_TOLD_AGAIN, DeliveryState.WAITING),
    )
    connection.execute(
        "UPDATE callback_signing SET is_on = 0, trouble = ? WHERE is_on = 1", (_TURNED_OFF,)
    )


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


def _make_private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _removed_at_the_end(path: Path) -> Iterator[None]:
    """Leave nothing under a name that is only for the time of the work."""
    try:
        yield
    finally:
        for left in (path, *_logs(path), path.with_name(f"{path.name}-journal")):
            left.unlink(missing_ok=True)


@contextmanager
def _errors_in_words(source: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyError(f"{source} could not be copied to {target}: {error}") from error
    except OSError as error:
        words = error.strerror or error
        raise CopyError(f"{source} could not be copied to {target}: {words}") from error

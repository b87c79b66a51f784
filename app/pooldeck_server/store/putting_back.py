"""Puts a copy of a database into its place again, brought up to date; what was there is kept.

The tasks of a copy may have run since it was made, so it waits for a word on them.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.copies import Copied
from pooldeck_server.domain.errors import CopyError
from pooldeck_server.store.connections import begun, writer_engine
from pooldeck_server.store.copies import Copying
from pooldeck_server.store.copy_files import errors_in_words, logs_of, removed_at_the_end, sync
from pooldeck_server.store.copy_marks import mark, silence
from pooldeck_server.store.lock import Lock
from pooldeck_server.store.schema import prepare

_BUSY_SECONDS: Final = 60.0
_STANDING: Final = "SELECT copied_at, settled_at FROM identity"


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
    with errors_in_words(copy, database):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Lock.acquire(folder / "pooldeck.lock")
        try:
            return _put_back(copy, database, clock)
        finally:
            lock.release()


def _put_back(copy: Path, database: Path, clock: Clock) -> tuple[Copied, Path | None]:
    fresh = database.with_name(f"{database.name}.restoring")
    for left in (fresh, *logs_of(fresh)):
        left.unlink(missing_ok=True)
    with removed_at_the_end(fresh):
        made_at = int(copy.stat().st_mtime * SECOND)
        copied = Copying(copy, fresh, clock, is_marked=False).make()
        _bring_up_to_date(fresh, made_at)
        _look_once_more(fresh)
        before = _keep_aside(database, clock)
        fresh.replace(database)
        sync(database.parent)
    return Copied(str(database), copied.bytes, copied.tasks, copied.waiting, copied.seconds), before


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
                    mark(connection, made_at)
                else:  # it was taken, in whichever way, of one that waits for a word itself
                    silence(connection)
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
    left = [log.name for log in logs_of(path) if log.exists()]
    if (mode, verdict) != ("delete", "ok") or left or copied_at is None or settled_at is not None:
        raise CopyError(f"the copy could not be completed ({verdict}); is there room on its disk?")
    sync(path)


def _keep_aside(database: Path, clock: Clock) -> Path | None:
    """Give what is in the place another name too, with all that its log has."""
    is_there = database.exists()
    if is_there:
        _empty_log(database)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock.now() / SECOND))
    kept = database.with_name(f"{database.name}.replaced-{stamp}")
    for log in logs_of(database):  # of one that is gone, or too damaged to be opened
        if log.exists():
            log.rename(kept.with_name(kept.name + log.name.removeprefix(database.name)))
    if not is_there:
        return None
    os.link(database, kept)
    return kept


def _empty_log(database: Path) -> None:
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

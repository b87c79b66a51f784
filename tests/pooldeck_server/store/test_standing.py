"""A database whose files are deleted, moved or replaced while it is open."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from pooldeck_server.domain.errors import StorageUnavailable
from pooldeck_server.store.database import Database, Reader
from pooldeck_server.store.lock import Lock
from pooldeck_server.store.standing import Displaced
from tests.support.stored import Store, opened


def delete(path: Path) -> None:
    path.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def replace(path: Path) -> None:
    with closing(sqlite3.connect(path.with_name("backup"))) as backup, backup:
        backup.execute("CREATE TABLE other (x)")
    path.with_name("backup").replace(path)


def how(store: Store) -> Displaced | None:
    """Return what a look at the files of a store finds."""
    store.database.standing.look()
    found = store.database.standing.displacement
    return found.how if found else None


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged of the files: levels and words."""
    return [
        f"{record.levelname} {record.getMessage()}"
        for record in caplog.records
        if record.name == "pooldeck_server.store.standing"
    ]


@pytest.mark.parametrize(
    ("spoil", "expected", "words"),
    [
        (delete, Displaced.MISSING, "was deleted or moved away"),
        (delete_folder, Displaced.MISSING, "was deleted or moved away"),
        (replace, Displaced.REPLACED, "was replaced"),
    ],
)
def test_nothing_is_committed_from_the_moment_on_that_would_be_lost(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    expected: Displaced,
    words: str,
) -> None:
    with opened(tmp_path / "data") as store:
        store.add()
        spoil(store.database.path)
        with pytest.raises(StorageUnavailable, match=words) as caught:  # before any look
            store.add()
        assert caught.value.retry_after is not None
        assert how(store) is expected
        assert [str(store.database.path) in line for line in said(caplog)] == [True]
        assert store.read(lambda tx: tx.scalar(text("SELECT count(*) FROM tasks"))) == 1


def test_a_folder_that_is_moved_back_goes_on_with_all_that_was_in_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, away = tmp_path / "data", tmp_path / "away"
    with opened(data) as store:
        store.add()
        data.rename(away)
        for _ in range(3):
            assert how(store) is Displaced.MISSING
        away.rename(data)
        assert how(store) is None
        store.add()
    assert [line.split()[0] for line in said(caplog)] == ["ERROR", "WARNING"]
    with opened(data) as store:
        assert store.read(lambda tx: tx.scalar(text("SELECT count(*) FROM tasks"))) == 2


def test_a_lock_file_that_was_removed_is_made_and_locked_again(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        (tmp_path / "pooldeck.lock").unlink()
        assert how(store) is None
        store.add()
        with pytest.raises(Exception, match=f"process {os.getpid()}"):
            Lock.acquire(tmp_path / "pooldeck.lock")


def test_a_lock_that_another_has_taken_is_given_up_for_good(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        (tmp_path / "pooldeck.lock").unlink()
        second = Lock.acquire(tmp_path / "pooldeck.lock")
        assert how(store) is Displaced.TAKEN
        with pytest.raises(StorageUnavailable, match="another server"):
            store.add()
        second.release()
        assert how(store) is Displaced.TAKEN
        with pytest.raises(StorageUnavailable, match="another server"):
            store.add()


def test_a_log_that_is_deleted_takes_nothing_with_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
        store.database.path.with_name("pooldeck.db-wal").unlink()
        store.add()
        assert how(store) is None
        assert store.read(lambda tx: tx.scalar(text("SELECT count(*) FROM tasks"))) == 2
    with opened(tmp_path) as store:
        assert store.read(lambda tx: tx.scalar(text("SELECT count(*) FROM tasks"))) == 2


def test_a_file_that_took_the_place_is_not_changed_by_the_log_of_the_one_before(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "kept.db"
    with opened(tmp_path) as store:
        store.add()
        path = store.database.path
        path.rename(kept)
        replace(path)
        with path.open("rb") as file:
            content = file.read()
    assert path.read_bytes() == content
    with closing(sqlite3.connect(path)) as replaced:
        assert replaced.execute("SELECT name FROM sqlite_master").fetchall() == [("other",)]
    with closing(sqlite3.connect(kept)) as moved:
        assert moved.execute("SELECT count(*) FROM tasks").fetchone() == (1,)


def test_readers_go_on_with_what_was_opened_and_make_no_file(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pooldeck.db", "normal")
    reader = Reader(database, threads=3)
    database.path.unlink()

    def nested(connection: Connection, left: int) -> int:
        found = int(connection.scalar(text("SELECT count(*) FROM tasks")) or 0)
        return found + (reader.call(nested, left - 1) if left else 0)

    assert reader.call(nested, 2) == 0  # on three connections at once
    assert not database.path.exists()
    assert database.size_bytes == 0
    assert database.path.with_name("pooldeck.db-wal").exists()
    reader.close()
    database.close()

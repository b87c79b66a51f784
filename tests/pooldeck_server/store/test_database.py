"""Opening, locking, refusing and closing the database."""

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.store import queries, records
from pooldeck_server.store.connections import has_wal_bug
from pooldeck_server.store.database import Database, Reader
from tests.support.stored import opened


def refusal(path: Path) -> str:
    """Return why the database at `path` cannot be opened."""
    with pytest.raises(StartupError) as caught:
        Database.open(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_tasks_survive_closing_and_opening(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add()
    with opened(tmp_path) as store:
        assert store.task(task).id == task.id
        assert store.read(queries.last_seq_and_id) is not None


def test_missing_folders_are_made_and_closed_to_others(tmp_path: Path) -> None:
    with opened(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_a_second_server_is_refused_and_told_who_holds_the_database(tmp_path: Path) -> None:
    with opened(tmp_path):
        assert f"process {os.getpid()}" in refusal(tmp_path / "pooldeck.db")
    Database.open(tmp_path / "pooldeck.db").close()


def test_the_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from pooldeck_server.store.database import Database
        database = Database.open(Path({str(tmp_path / "pooldeck.db")!r}))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, timeout=60)
    assert (tmp_path / "pooldeck.lock").read_text() != ""
    Database.open(tmp_path / "pooldeck.db").close()


def test_what_a_killed_server_has_erased_is_gone_from_the_log_with_the_next_start(
    tmp_path: Path,
) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from pooldeck_server.domain.tasks.changes import End
        from pooldeck_server.domain.tasks.states import State
        from pooldeck_server.store import records
        from tests.support.stored import opened
        with opened(Path({str(tmp_path)!r})) as store:
            store.write(records.erase_traces)
            task = store.running(args='["s3cret"]', shown_args='["hidden"]', shown_kwargs="{{}}")
            store.write(records.end, [End(task.seq, 1, State.FAILED, 2)])
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, timeout=60)
    log = tmp_path / "pooldeck.db-wal"
    assert b"s3cret" in log.read_bytes()

    database = Database.open(tmp_path / "pooldeck.db")

    assert log.stat().st_size == 0
    assert b"hidden" in database.path.read_bytes()
    assert b"s3cret" not in database.path.read_bytes()
    database.close()


def test_a_refused_start_leaves_the_folder_unlocked(tmp_path: Path) -> None:
    path = tmp_path / "pooldeck.db"
    path.write_bytes(b"no database" * 1000)
    refusal(path)
    path.unlink()
    Database.open(path).close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pooldeck.db"
    path.write_bytes(b"no database" * 1000)
    assert "it is no database" in refusal(path)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.insert_tasks, [store.new() for _ in range(500)])
    path = store.database.path
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xa5" * (len(content) - 8192))
    assert "it is damaged" in refusal(path)


def test_a_cut_off_database_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.insert_tasks, [store.new() for _ in range(500)])
    os.truncate(store.database.path, store.database.size_bytes // 2)
    assert "it is damaged" in refusal(store.database.path)


def test_the_log_of_a_missing_database_is_not_thrown_away(tmp_path: Path) -> None:
    log = tmp_path / "pooldeck.db-wal"
    log.write_bytes(b"frames")
    assert "is missing but its log" in refusal(tmp_path / "pooldeck.db")
    assert log.read_bytes() == b"frames"


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pooldeck.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE tasks (id)")
    other.close()
    assert "another program" in refusal(path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        path = store.database.path
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    assert "schema 9999" in refusal(path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refusal(tmp_path / "file" / "pooldeck.db")


def test_a_read_only_database_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        with opened(folder) as store:
            path = store.database.path
        folder.chmod(0o777)
        path.chmod(0o444)
        (folder / "pooldeck.lock").chmod(0o666)
        assert "may not write to it" in _refusal_without_rights(path)


def _refusal_without_rights(path: Path) -> str:
    """Return what a process says that may not write everywhere, as root may."""
    program = f"""
        import os
        from pathlib import Path
        from pooldeck_server.domain.errors import StartupError
        from pooldeck_server.store.database import Database
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            Database.open(Path({str(path)!r}))
        except StartupError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize(("setting", "pragma"), [("full", 2), ("normal", 1)])
def test_durability_is_as_set(tmp_path: Path, setting: str, pragma: int) -> None:
    database = Database.open(tmp_path / "pooldeck.db", setting)
    with database.transaction() as transaction:
        assert transaction.connection.scalar(text("PRAGMA synchronous")) == pragma
        assert transaction.connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert transaction.connection.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with opened(tmp_path) as store, pytest.raises(OperationalError, match="readonly"):
        store.reader.call(lambda connection: connection.execute(text("DELETE FROM tasks")))


def test_queries_run_on_other_threads_and_at_the_same_time(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)

    def meet(connection: Connection) -> str:
        both.wait()
        assert connection.scalar(text("SELECT 1")) == 1
        return threading.current_thread().name

    async def ask(reader: Reader) -> tuple[str, str]:
        return await asyncio.gather(reader.run(meet), reader.run(meet))

    with opened(tmp_path) as store:
        reader = Reader(store.database, threads=2)
        names = asyncio.run(ask(reader))
        reader.close()
    assert len({*names, threading.current_thread().name}) == 3


def test_a_query_sees_one_moment(tmp_path: Path) -> None:
    with opened(tmp_path) as store:

        def counts_around_a_write(connection: Connection) -> tuple[int, int]:
            before = len(queries.tasks(connection, TaskFilter()).items)
            store.add()
            return before, len(queries.tasks(connection, TaskFilter()).items)

        assert store.reader.call(counts_around_a_write) == (0, 0)
        assert len(store.found(TaskFilter())) == 1


def test_an_open_read_lets_the_log_grow_and_the_gauge_shows_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        path = store.database.path
        store.add()
        assert store.database.wal_bytes == path.with_name("pooldeck.db-wal").stat().st_size > 0
        assert store.database.size_bytes == path.stat().st_size


def test_closing_writes_the_log_back_into_the_file(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
    assert store.database.wal_bytes == 0
    assert {file.name for file in tmp_path.iterdir()} == {"pooldeck.db", "pooldeck.lock"}


def test_readers_never_write_the_log_back(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert (
            store.reader.call(
                lambda connection: connection.scalar(text("PRAGMA wal_autocheckpoint"))
            )
            == 0
        )


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_versions_with_the_bug_of_the_log_are_known(
    version: tuple[int, int, int], expected: bool
) -> None:
    assert has_wal_bug(version) is expected


def test_a_start_warns_of_a_version_with_the_bug(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), opened(tmp_path):
        pass
    warned = [record for record in caplog.records if "SQLite" in record.message]
    assert bool(warned) is has_wal_bug(sqlite3.sqlite_version_info[:3])
    assert len(caplog.records) == len(warned)

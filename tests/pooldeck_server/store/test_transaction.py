"""All or nothing, errors in words, and a writer that works again afterwards."""

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import text

from pooldeck_server.domain.errors import DiskFull, StorageUnavailable
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database
from pooldeck_server.store.transaction import Transaction
from tests import ROOT
from tests.support.stored import Store, opened


def test_an_error_takes_everything_back_and_the_next_transaction_works(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first = store.new()

        def insert_and_fail(transaction: Transaction) -> None:
            records.insert_tasks(transaction, [first])
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.write(insert_and_fail)
        assert store.read(queries.task, first.id) is None
        assert store.read(queries.counts) == []
        store.write(records.insert_tasks, [first])
        assert store.task(first).state is State.QUEUED


def test_a_transaction_gathers_its_moves_in_their_order(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        waiting, task = store.add(), store.claimed()
        with store.database.transaction() as transaction:
            records.start(transaction, [store.start_of(task)])
            records.cancel(transaction, [waiting.seq], 1)
        assert [(move.seq, move.state) for move in transaction.moves] == [
            (task.seq, State.RUNNING),
            (waiting.seq, State.CANCELLED),
        ]


def test_another_program_that_holds_the_database_is_named_and_waited_out(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pooldeck.db", busy_seconds=0.05)
    store = Store(database)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="another program") as caught:
        store.add()
    assert caught.value.retry_after is not None
    assert store.read(queries.counts) == []  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert store.task(store.add()).state is State.QUEUED
    store.reader.close()
    database.close()


def test_a_full_database_is_a_full_disk_and_works_again_with_room(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        kept = store.add()
        pages = store.read(lambda connection: connection.scalar(text("PRAGMA page_count")))
        with store.database.transaction() as transaction:
            transaction.connection.execute(text(f"PRAGMA max_page_count = {pages + 1}"))
        large = [store.new(args='["' + "x" * 100_000 + '"]') for _ in range(3)]
        with pytest.raises(DiskFull, match="make room"):
            store.write(records.insert_tasks, large)
        assert store.task(kept).state is State.QUEUED
        with store.database.transaction() as transaction:
            transaction.connection.execute(text("PRAGMA max_page_count = 1000000"))
        assert len(store.write(records.insert_tasks, large)) == 3


def test_a_file_that_may_not_grow_is_a_full_disk_and_works_again_with_room(tmp_path: Path) -> None:
    program = f"""
        import resource
        from pathlib import Path
        from tests.support.stored import opened
        from pooldeck_server.domain.errors import DiskFull
        from pooldeck_server.store import records

        with opened(Path({str(tmp_path)!r})) as store:
            limit = store.database.size_bytes + store.database.wal_bytes + 50_000
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
            batch = [store.new(args='["' + "x" * 1000 + '"]') for _ in range(2000)]
            try:
                store.write(records.insert_tasks, batch)
            except DiskFull:
                print("full")
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            print(len(store.write(records.insert_tasks, batch)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.split() == ["full", "2000"], done.stderr

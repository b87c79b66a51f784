"""A copy is whole, checked, private and marked, or not there; putting one back loses nothing."""

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pooldeck_server.domain.alerts.callbacks import CallbackLook, Signing
from pooldeck_server.domain.alerts.deliveries import (
    DeliveryState,
    DestinationKind,
    NewDelivery,
    NewDestination,
    SigningSecret,
)
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import CopyError
from pooldeck_server.domain.tasks.changes import Claim
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.store import queries, records
from pooldeck_server.store.copies import Copying, keep_before_migration
from pooldeck_server.store.database import Database, Reader
from pooldeck_server.store.lock import LockHeldError
from pooldeck_server.store.putting_back import put_back
from tests.support.stored import Store, opened


@contextmanager
def read(path: Path) -> Iterator[Reader]:
    with closing(Database.open(path, "normal")) as database, closing(Reader(database, 1)) as reader:
        yield reader


def made_at(path: Path) -> int | None:
    with read(path) as reader:
        return reader.call(queries.identity).copied_at


def ids(path: Path) -> list[str]:
    with read(path) as reader:
        return [task.id for task in reader.call(queries.tasks, TaskFilter()).items]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "lock" not in path.name)


def test_a_copy_has_what_was_committed_before_it_and_nothing_in_part(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy.sqlite3"
    copy.parent.mkdir()
    with opened(tmp_path) as store:
        before = [store.add().id for _ in range(300)]
        copied = []
        thread = threading.Thread(
            target=lambda: copied.append(Copying(store.database.path, copy).make())
        )
        thread.start()
        while thread.is_alive():
            store.add()
        thread.join()
    assert copied[0].tasks >= 300
    assert copied[0].waiting == copied[0].tasks
    with closing(sqlite3.connect(copy)) as connection:
        kept = {found for (found,) in connection.execute("SELECT id FROM tasks")}
    assert kept >= set(before)
    assert len(kept) == copied[0].tasks
    assert left(copy.parent) == [copy.name]


def test_a_copy_is_marked_as_one_and_is_private(tmp_path: Path) -> None:
    clock = ManualClock()
    copy = tmp_path / "copy.sqlite3"
    before = os.umask(0)
    try:
        with opened(tmp_path) as store:
            store.add()
            original = store.read(queries.identity)
            Copying(store.database.path, copy, clock).make()
    finally:
        os.umask(before)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with read(copy) as reader:
        identity = reader.call(queries.identity)
    assert identity.copied_from == original.id != identity.id
    assert (identity.copied_at, identity.through) == (clock.now(), 1)
    assert identity.waits_for_a_word
    assert not original.waits_for_a_word


def test_nothing_is_written_over(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        there = tmp_path / "there"
        there.write_text("mine")
        with pytest.raises(CopyError, match="exists"):
            Copying(store.database.path, there).make()
    assert there.read_text() == "mine"


def test_what_is_no_database_of_ours_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE tasks (n)")
    text = tmp_path / "text"
    text.write_text("no database at all, but long enough to be looked at" * 40)
    for source in (other, text, tmp_path / "missing"):
        with pytest.raises(CopyError):
            Copying(source, tmp_path / "copy").make()
    assert left(tmp_path) == ["other.sqlite3", "text"]


def test_a_copy_whose_tasks_are_not_what_its_counters_say_is_thrown_away(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
        path = store.database.path
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE counters SET n = n + 1")
    with pytest.raises(CopyError, match="counters"):
        Copying(path, tmp_path / "copy").make()
    assert not [name for name in left(tmp_path) if "copy" in name]


def test_a_copy_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
        copying = Copying(store.database.path, tmp_path / "copy")
        copying.stop()
        with pytest.raises(CopyError, match="stopped"):
            copying.make()
    assert left(tmp_path) == ["pooldeck.db"]


def test_putting_back_keeps_what_was_there_with_its_log(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with opened(tmp_path) as store:
        first = store.add().id
        Copying(store.database.path, copy, store.clock).make()
        path = store.database.path
        second = store.add().id
    # An end without order leaves a log that has what the file has not.
    killed = tmp_path / "killed"
    killed.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        with connection:
            connection.execute("UPDATE tasks SET priority = 7 WHERE id = ?", (second,))
        for end in ("", "-wal"):
            (killed / f"{path.name}{end}").write_bytes(Path(f"{path}{end}").read_bytes())

    _, before = put_back(copy, killed / path.name, ManualClock())

    assert ids(killed / path.name) == [first]
    assert before is not None
    with closing(sqlite3.connect(before)) as connection:
        kept = dict(connection.execute("SELECT id, priority FROM tasks"))
    assert kept == {first: 0, second: 7}


def test_nothing_is_put_back_under_a_running_server(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with opened(tmp_path) as store:
        Copying(store.database.path, copy, store.clock).make()
        with pytest.raises(LockHeldError):
            put_back(copy, store.database.path, store.clock)


def test_a_damaged_backup_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        kept = store.add().id
        path = store.database.path
    copy = tmp_path / "copy"
    Copying(path, copy).make()
    content = bytearray(copy.read_bytes())
    content[4096:8192] = os.urandom(4096)
    copy.write_bytes(content)
    with pytest.raises(CopyError):
        put_back(copy, path, ManualClock())
    assert ids(path) == [kept]


def test_a_copy_that_was_made_by_other_means_waits_for_a_word_too(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
        path = store.database.path
    plain = tmp_path / "plain"
    plain.write_bytes(path.read_bytes())
    os.utime(plain, (1000, 1000))
    put_back(plain, path, ManualClock())
    assert made_at(path) == 1000 * 1_000_000


def told(store: Store, name: str = "ops", *, is_on: bool = True) -> int:
    """Add a destination for which a message waits, and return its number."""
    new, now = NewDestination(name, DestinationKind.WEBHOOK, f"https://{name}.example.com", ()), 5
    number = store.write(records.add_destination, new, now)
    assert number is not None
    waiting = NewDelivery(number, f"msg_{name}", "alert.test", "{}")
    store.write(records.add_delivery, waiting, now)
    if not is_on:
        store.write(records.turn_destination, number, is_on=False, trouble="it answered 410")
    return number


def of_alerts(path: Path) -> tuple[dict[str, str | None], set[DeliveryState], int]:
    """Return what is off and why, what became of the deliveries, and how many are due."""
    with read(path) as reader:
        off = reader.call(queries.alert_destinations)
        states = {each.state for each in reader.call(queries.alert_deliveries, 10)}
        due = len(reader.call(queries.due_deliveries, 10**15, 10))
    return {each.name: each.trouble for each in off if not each.is_on}, states, due


def test_a_backup_that_is_put_back_tells_nobody_what_its_server_tells(tmp_path: Path) -> None:
    """Also one that is put into its place by hand; the server that was copied goes on telling."""
    with opened(tmp_path) as store:
        told(store)
        told(store, "gone", is_on=False)
        path = store.database.path
        Copying(path, tmp_path / "copy").make()
        assert len(store.read(queries.due_deliveries, 10**15, 10)) == 1
    put_back(tmp_path / "copy", tmp_path / "elsewhere" / "pooldeck.db", ManualClock())
    for copy in (tmp_path / "copy", tmp_path / "elsewhere" / "pooldeck.db"):
        off, states, due = of_alerts(copy)
        assert off["gone"] == "it answered 410"
        assert "turn on what should be told again" in (off["ops"] or "")
        assert (states, due) == ({DeliveryState.GIVEN_UP}, 0)


def test_a_backup_that_is_put_back_calls_nobody_back(tmp_path: Path) -> None:
    look = CallbackLook(limit=10, of_host=10)
    with opened(tmp_path) as store:
        signing = Signing((SigningSecret("whsec_AAAA"),), is_on=True)
        store.write(records.save_signing, signing)
        task = store.add(callback="https://ops.example.com/")
        store.write(records.cancel, [task.seq], 5)
        Copying(store.database.path, tmp_path / "copy").make()
        assert len(store.read(queries.due_callbacks, look, 10**15)[0]) == 1
        assert store.read(queries.callback_secrets) == signing
    put_back(tmp_path / "copy", tmp_path / "elsewhere" / "pooldeck.db", ManualClock())
    for copy in (tmp_path / "copy", tmp_path / "elsewhere" / "pooldeck.db"):
        with read(copy) as reader:
            off = reader.call(queries.callback_secrets)
            assert (off.is_on, off.secrets) == (False, signing.secrets)
            assert "turn on" in (off.trouble or "")
            assert reader.call(queries.due_callbacks, look, 10**15)[0] == []


def test_what_was_copied_by_other_means_tells_nobody_either(tmp_path: Path) -> None:
    """Not even one of a server that waited for a word on its tasks itself."""
    with opened(tmp_path) as store:
        store.add()
        told(store)
        path = store.database.path
    for name in ("first", "second"):
        plain = tmp_path / name
        plain.write_bytes(path.read_bytes())
        path = tmp_path / f"place-of-{name}" / "pooldeck.db"
        put_back(plain, path, ManualClock())
        assert set(of_alerts(path)[0]) == {"ops"}
        assert of_alerts(path)[2] == 0
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE destinations SET is_on = 1")
            connection.execute("UPDATE deliveries SET state = 'waiting', next_at = 5")


def test_of_two_copies_to_one_name_the_first_is_kept_and_the_other_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
        copying = Copying(store.database.path, tmp_path / "copy")
        first = copying.make()
        with pytest.raises(CopyError, match="exists"):
            copying.make()
    assert (tmp_path / "copy").stat().st_size == first.bytes
    assert [name for name in left(tmp_path) if "copy" in name] == ["copy"]


def test_claims_of_a_copy_that_had_not_begun_wait_for_the_word(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        claimed, running = store.claimed(), store.running()
        store.write(records.release_all)
        assert store.task(claimed).state == "queued"
        assert store.write(records.claim, [Claim(claimed.seq, 1)]) == {claimed.seq}
        assert store.task(running).state == "running"


def test_a_copy_before_a_migration_is_taken_until_the_database_has_changed(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        path = store.database.path
        store.add()
        names = [keep_before_migration(path, "0010").name for _ in range(2)]
        store.add()
        names += [keep_before_migration(path, "0010").name for _ in range(2)]
        (tmp_path / f"{path.name}.before-0011").touch()  # somebody wants none
        names.append(keep_before_migration(path, "0011").name)
    first = f"{path.name}.before-0010"
    assert names == [first, first, f"{first}.2", f"{first}.2", f"{path.name}.before-0011"]

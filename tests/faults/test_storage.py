"""Rows 11 to 13: a full disk, a locked database, one that cannot be used, and one taken away."""

import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from pooldeck_server.store.database import Database
from pooldeck_server.store.lock import Lock
from tests.faults.client import Client
from tests.faults.deployment import Deployment, deployed
from tests.faults.oracle import violations
from tests.faults.prober import probing
from tests.support.serving import COMMAND
from tests.support.waiting import eventually

SOON = 30  # seconds: files are looked at each second, and the machine may be busy


@contextmanager
def full_disk(deployment: Deployment) -> Iterator[None]:
    """Let the files of the server grow no further while the body runs."""
    log = deployment.database.with_name(deployment.database.name + "-wal")
    room = resource.prlimit(deployment.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(deployment.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, room[1]))
    try:
        yield
    finally:
        resource.prlimit(deployment.process.pid, resource.RLIMIT_FSIZE, room)


@contextmanager
def locked_database(deployment: Deployment, seconds: float) -> Iterator[None]:
    """Hold the database as another program might, while the body runs and for so long at least."""
    with closing(sqlite3.connect(deployment.database, isolation_level=None)) as other:
        until = time.monotonic() + seconds
        other.execute("BEGIN IMMEDIATE")
        yield
        time.sleep(max(0.0, until - time.monotonic()))
        other.execute("ROLLBACK")


def _two_running(client: Client, gate: Path) -> list[str]:
    """Start a task in each pool that runs until `gate` is there; return their ids."""
    running = [client.submit("wait_for", str(gate), pool=pool)["id"] for pool in ("io", "cpu")]
    for task in running:
        eventually(partial(_has_state, client, task, "running"), "the task runs")
    return running


def _has_state(client: Client, task: str, state: str) -> bool:
    return bool(client.task(task, wait=0)["state"] == state)


def _ends(deployment: Deployment) -> int:
    return sum(line.what == "end" for line in deployment.effects())


def test_on_a_full_disk_nothing_is_acknowledged_and_what_ended_is_kept_until_there_is_room(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        running = _two_running(client, gate)
        with full_disk(deployment):
            gate.touch()
            eventually(lambda: _ends(deployment) == 2, "both tasks end")
            refused = client.intend("add", 1, 2)
            answer = client.send(refused)
            assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
            assert {client.task(task, wait=0)["state"] for task in running} == {"running"}
        client.settle()
        deployment.when_quiet()
        assert violations(deployment, client.ledger) == []
        assert {client.task(task)["state"] for task in running} == {"succeeded"}
        assert client.task(str(refused.id))["state"] == "succeeded"
        assert deployment.said.count("the database does not take writes: ") == 1
        assert "make room on its disk" in deployment.said
        assert deployment.said.count("the database takes writes again, after ") == 1


@pytest.mark.parametrize("seconds", [0, pytest.param(20, marks=pytest.mark.soak)])
def test_a_locked_database_refuses_in_time_and_stalls_nothing_else(
    tmp_path: Path, seconds: float
) -> None:
    gate = tmp_path / "gate"
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        running = _two_running(client, gate)
        with probing(lambda: deployment.url) as prober, locked_database(deployment, seconds):
            refused = client.intend("add", 1, 2)
            answer = client.send(refused)
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
            assert int(answer.headers["retry-after"]) > 0
            gate.touch()
            eventually(lambda: _ends(deployment) == 2, "both tasks end")
        client.settle()
        deployment.when_quiet()
        found = violations(deployment, client.ledger, prober=prober, most_seconds=1.0)
        assert found == []
        assert {client.task(task)["state"] for task in running} == {"succeeded"}
        assert deployment.said.count("the database lags: ") == 1
        assert deployment.said.count("the database does not take writes: another program") == 1
        assert deployment.said.count("the database takes writes again, after ") == 1


def _corrupt(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)


def _take_away(database: Path) -> None:
    database.with_name(database.name + "-wal").write_bytes(b"what was not written back")
    database.unlink()


def _renew(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "words"), [(_corrupt, "damaged"), (_take_away, "missing"), (_renew, "newer")]
)
def test_a_database_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    deployment = Deployment(tmp_path)
    Database.open(deployment.database).close()
    spoil(deployment.database)
    started = subprocess.run(
        [*COMMAND, "serve", "--port", "0"],
        cwd=tmp_path,
        env=deployment.environment(""),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in started.stderr.splitlines() if line.startswith("pooldeck: ")]
    assert (started.returncode, len(said)) == (1, 1)
    assert words in said[0]
    assert str(deployment.database) in said[0]
    assert "Traceback" not in started.stderr


def _delete(database: Path) -> None:
    database.unlink()


def _delete_folder(database: Path) -> None:
    shutil.rmtree(database.parent)


def _put_backup_over(database: Path) -> None:
    backup = database.with_name("backup")
    with (
        closing(sqlite3.connect(database)) as original,
        closing(sqlite3.connect(backup)) as copy,
    ):
        original.backup(copy)
    backup.replace(database)


def _readiness(deployment: Deployment) -> int:
    return deployment.fetch("/readyz").status_code


def _told(deployment: Deployment) -> list[str]:
    """Return the lines of the log that tell what to do about the files."""
    return [line for line in deployment.said.splitlines() if "until then" in line]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_delete, "deleted or moved away"),
        pytest.param(_delete_folder, "deleted or moved away", marks=pytest.mark.soak),
        (_put_backup_over, "replaced"),
    ],
)
def test_a_database_that_is_taken_from_under_the_server_is_noticed_and_nothing_more_acknowledged(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        client.submit("add", 1, 2, wait=60)
        spoil(deployment.database)
        for pool in ("io", "cpu") * 10:
            answer = client.send(client.intend("add", 1, 2, pool=pool))
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        eventually(lambda: _readiness(deployment) == 503, "it is not ready", SOON)
        page = deployment.fetch("/")
        assert page.status_code == 200
        assert str(deployment.database) in page.text
        assert deployment.fetch("/metrics").status_code == 200
        assert client.ledger.complaints == []
        assert deployment.stop() == 0
    (line,) = _told(deployment)
    assert f"{deployment.database} was {words}" in line
    assert "Traceback" not in deployment.said


def test_a_database_whose_deletion_nobody_has_submitted_into_is_noticed_all_the_same(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path) as deployment:
        deployment.database.unlink()
        eventually(lambda: _readiness(deployment) == 503, "it is not ready", SOON)
        (line,) = _told(deployment)
        assert "was deleted or moved away" in line


@pytest.mark.soak
def test_a_backup_that_was_put_over_a_running_server_is_whole_at_the_next_start(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        kept = client.submit("add", 1, 2, wait=60)["id"]
        _put_backup_over(deployment.database)
        refused = client.intend("add", 1, 2)
        assert client.send(refused).status_code == 503
        assert deployment.stop() == 0
        deployment.start()
        assert client.task(kept)["state"] == "succeeded"
        client.settle()
        deployment.when_quiet()
        assert violations(deployment, client.ledger) == []


def test_a_data_folder_that_is_moved_back_is_gone_on_with(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    data, away = tmp_path / "pooldeck-data", tmp_path / "away"
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        running = _two_running(client, gate)
        data.rename(away)
        gate.touch()
        eventually(lambda: _ends(deployment) == 2, "both tasks end")
        assert client.send(client.intend("add", 1, 2)).status_code == 503
        away.rename(data)
        eventually(lambda: _readiness(deployment) == 200, "it is ready again", SOON)
        client.settle()
        deployment.when_quiet()
        assert f"the database {deployment.database} is back" in deployment.said
        assert violations(deployment, client.ledger) == []
        assert {client.task(task)["state"] for task in running} == {"succeeded"}


@pytest.mark.soak
def test_a_deleted_write_ahead_log_is_survived(tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        client.submit("add", 1, 2, wait=60)
        deployment.database.with_name(deployment.database.name + "-wal").unlink()
        for _ in range(40):
            client.submit("add", 1, 2)
        deployment.when_quiet()
        assert deployment.stop() == 0
        deployment.start()
        assert violations(deployment, client.ledger) == []


def test_a_second_server_that_gets_the_lock_ends_the_acknowledgements_of_the_first(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        client.submit("add", 1, 2, wait=60)
        (lock,) = tmp_path.glob("*/pooldeck.lock")
        with deployment.frozen():  # or it would have locked a new file within a second
            lock.unlink()
            second = Lock.acquire(lock)
        eventually(lambda: _readiness(deployment) == 503, "it is not ready", SOON)
        answer = client.send(client.intend("add", 1, 2))
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        second.release()
        assert deployment.stop() == 0
    (line,) = _told(deployment)
    assert f"{lock} was taken over by another server" in line
    assert "Traceback" not in deployment.said

"""Rows 11 to 13: a full disk, a locked database, and one that cannot be used at all."""

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from serving import MODULE

from app.store.database import Database
from faults.client import Client
from faults.deployment import Deployment, deployed, eventually
from faults.oracle import violations
from faults.prober import probing


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
def locked_database(deployment: Deployment) -> Iterator[None]:
    """Hold the database as another program might, while the body runs and for 20 s at least."""
    with closing(sqlite3.connect(deployment.database, isolation_level=None)) as other:
        until = time.monotonic() + 20
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


def test_a_locked_database_refuses_in_time_and_stalls_nothing_else(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        running = _two_running(client, gate)
        with probing(lambda: deployment.url) as prober, locked_database(deployment):
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
        [*MODULE, "serve", "--port", "0"],
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

"""Backups by the commands: beside a server that works, put back elsewhere, killed in the middle."""

import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import httpx

from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.schemas import make_older
from tests.support.serving import COMMAND, serving
from tests.support.waiting import eventually

FUNCTIONS = """
import pathlib
from pooldeck import task

@task
def note(path, word):
    with pathlib.Path(path).open("a") as file:
        file.write(word + "\\n")
"""


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=90, check=False
    )


def served(folder: Path, data: str) -> "tuple[str, ...]":
    (folder / "jobs.py").write_text(FUNCTIONS)
    return ("--functions", "jobs", "--data", data)


def submit(client: httpx.Client, folder: Path, word: str) -> str:
    body = {"function": "jobs.note", "args": [str(folder / "notes"), word]}
    answer = client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_a_backup_beside_a_working_server_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with serving(tmp_path, *served(tmp_path, "data")) as server:
        server.wait_until_ready()
        acknowledged += [submit(server.client, tmp_path, "x") for _ in range(20)]
        is_over = threading.Event()

        def go_on_submitting() -> None:
            with httpx.Client(
                base_url=server.client.base_url, trust_env=False, timeout=PATIENCE, verify=NO_TLS
            ) as client:
                while not is_over.is_set():
                    submit(client, tmp_path, "x")

        thread = threading.Thread(target=go_on_submitting)
        thread.start()
        done = command(tmp_path, "backup", "copy.sqlite3", "--data", "data")
        is_over.set()
        thread.join()
    assert (done.returncode, done.stderr) == (0, "")
    assert "checked" in done.stdout
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as connection:
        kept = {found for (found,) in connection.execute("SELECT id FROM tasks")}
    assert kept >= set(acknowledged)
    again = command(tmp_path, "backup", "copy.sqlite3", "--data", "data")
    assert again.returncode == 1
    assert again.stderr.startswith("pooldeck: ")
    assert "exists" in again.stderr


def put_back_with_one_waiting(folder: Path) -> None:
    """Leave a backup `copy.sqlite3` in which a task waits that has run since, and put it back."""
    with serving(folder, *served(folder, "data")) as server:
        server.wait_until_ready()
        for pool in server.client.get("/api/v1/pools").json()["items"]:
            server.client.patch(f"/api/v1/pools/{pool['name']}", json={"paused": True})
        submit(server.client, folder, "waited")
        assert command(folder, "backup", "copy.sqlite3", "--data", "data").returncode == 0
        refused = command(folder, "restore", "copy.sqlite3", "--data", "data")
        assert (refused.returncode, "another server" in refused.stderr) == (1, True)
        for pool in server.client.get("/api/v1/pools").json()["items"]:
            server.client.patch(f"/api/v1/pools/{pool['name']}", json={"paused": False})
        eventually((folder / "notes").exists, "the task has run")
    done = command(folder, "restore", "copy.sqlite3", "--data", "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of its tasks had not ended" in done.stdout
    assert list((folder / "data").glob("pooldeck.sqlite3.replaced-*"))


def test_nothing_is_run_twice_because_of_a_backup(tmp_path: Path) -> None:
    put_back_with_one_waiting(tmp_path)
    with serving(tmp_path, *served(tmp_path, "data")) as server:
        server.wait_until_ready()
        client = server.client
        assert client.get("/api/v1/server").json()["restored"]["waiting"] == 1
        page = client.get("/").text
        assert "/restored" in page
        assert "backup" in page
        refused = client.patch("/api/v1/pools/io", json={"paused": False})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        asked = client.get("/restored").text
        assert 'value="lost"' in asked

        bad = client.post("/api/v1/restored", json={"waiting": "perhaps"})
        assert bad.status_code == 422
        done = client.post("/restored", data={"waiting": "lost"}, follow_redirects=True)

        assert "recorded as lost" in done.text
        assert client.get("/api/v1/tasks?state=lost").json()["items"][0]["function"] == "jobs.note"
        again = client.post("/api/v1/restored", json={"waiting": "run"})
        assert again.status_code == 409
        assert client.get("/api/v1/server").json()["restored"] is None
        for pool in ("io", "cpu"):  # they were paused when the backup was made
            assert client.patch(f"/api/v1/pools/{pool}", json={"paused": False}).status_code == 200
        assert server.run("jobs.note", str(tmp_path / "notes"), "new")["state"] == "succeeded"
    assert (tmp_path / "notes").read_text().split() == ["waited", "new"]


def test_a_backup_that_is_killed_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    with serving(tmp_path, *served(tmp_path, "data")) as server:
        server.wait_until_ready()
        arguments = [*COMMAND, "backup", "copy.sqlite3", "--data", "data"]
        with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
            eventually(
                lambda: any(tmp_path.glob("*.part")) or process.poll() is not None, "it copies"
            )
            process.kill()
        copy = tmp_path / "copy.sqlite3"
        if copy.exists():  # it was quicker than the kill: then it is whole
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            copy.unlink()
        assert command(tmp_path, "backup", "copy.sqlite3", "--data", "data").returncode == 0


def test_a_database_of_an_earlier_version_is_kept_as_it_was(tmp_path: Path) -> None:
    database = tmp_path / "data" / "pooldeck.sqlite3"
    database.parent.mkdir()
    make_older(database, "0007")
    with serving(tmp_path, *served(tmp_path, "data")) as server:
        server.wait_until_ready()
    kept = database.with_name("pooldeck.sqlite3.before-0007")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0007",)
    assert any(kept.name in line for line in server.said)


def test_backups_on_a_schedule_are_made_by_the_server(tmp_path: Path) -> None:
    (tmp_path / "pooldeck.toml").write_text('[backup]\nfolder = "backups"\nkeep = 2\n')
    with serving(tmp_path, *served(tmp_path, "data")) as server:
        server.wait_until_ready()
        folder = tmp_path / "backups"
        eventually(
            lambda: any(folder.glob("pooldeck-*Z.sqlite3")),
            "a backup is there",
        )
        figures = server.client.get("/metrics").text
    assert "pooldeck_backup_last_timestamp_seconds 1" in figures

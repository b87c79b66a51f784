"""A drain of a real server by its command, its pages and its API, as a service manager hears it."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.serving import COMMAND, Serving, serving
from tests.support.waiting import eventually

JOBS = """
import os
import pathlib
import time
from pooldeck import task

@task
def wait_for(path: str) -> list[str]:
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    return [name for name in os.environ if "NOTIFY" in name or "WATCHDOG" in name]
"""
MANAGER = f"@pooldeck-served-{os.getpid()}"
OPTIONS = ("--functions", "jobs", "--data", "data")


class Manager:
    """Listens as a service manager does, at once and all the time."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.heard: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while said := self.listener.recv(65536).decode():
            self.heard += said.splitlines()

    def wait_for(self, line: str) -> None:
        """Return when a line has come, since the start or the one that was waited for before."""
        eventually(lambda: line in self.heard, f"{line} was said")
        self.heard = self.heard[self.heard.index(line) + 1 :]


@pytest.fixture
def manager() -> Iterator[Manager]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind("\0" + MANAGER[1:])
        yield Manager(listener)
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender:
            sender.sendto(b"", "\0" + MANAGER[1:])


def command(server: Serving, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "POOLDECK_URL": str(server.client.base_url)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def submit(server: Serving, gate: Path) -> str:
    body = {"function": "jobs.wait_for", "args": [str(gate)], "pool": "cpu"}
    answer = server.client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def look_at_a_drain(server: Serving, folder: Path, manager: Manager) -> None:
    """Drain a server in which one task runs, and look at it from every side."""
    client = server.client
    begun = command(server, folder, "drain", "--no-wait", "--reason", "new disk", "--json")
    assert begun.returncode == 0, begun.stderr
    assert json.loads(begun.stdout)["running"] == 1
    assert "drained: 1 task runs" in begun.stderr
    refused = client.post("/api/v1/tasks", json={"function": "jobs.wait_for", "args": ["x"]})
    assert (refused.status_code, refused.json()["code"]) == (503, "draining")
    assert int(refused.headers["retry-after"]) > 0
    assert client.get("/readyz").json() == {"status": "draining"}
    for path in ("/", "/tasks", "/drain"):
        assert "drained by" in client.get(path).text
        assert "new disk" in client.get(path).text
    assert "pooldeck_drained 1.0" in client.get("/metrics").text
    manager.wait_for("STATUS=draining; 1 tasks run, 0 are queued")
    manager.wait_for("WATCHDOG=1")

    said = command(server, folder, "doctor", "--data", "data", "--url", str(client.base_url))
    assert said.returncode in {1, 2}, said.stderr
    assert "Traceback" not in said.stdout + said.stderr
    assert "in use by process" in said.stdout
    assert "is draining" in said.stdout
    assert "finds nothing wrong" in said.stdout


def test_a_server_is_drained_looked_at_resumed_and_stopped_and_the_next_one_knows_by_whom(
    tmp_path: Path, manager: Manager
) -> None:
    gate = tmp_path / "gate"
    (tmp_path / "jobs.py").write_text(JOBS)
    environment = {"NOTIFY_SOCKET": MANAGER, "WATCHDOG_USEC": "2000000"}
    with serving(tmp_path, *OPTIONS, environment=environment) as server:
        manager.wait_for("READY=1")
        server.wait_until_ready()
        client = server.client
        task = submit(server, gate)
        running = f"/api/v1/tasks/{task}"
        eventually(lambda: client.get(running).json()["state"] == "running", "it runs")

        look_at_a_drain(server, tmp_path, manager)

        resumed = client.post("/drain/resume", follow_redirects=True)
        assert "takes tasks again" in resumed.text
        assert client.get("/api/v1/server").json()["drain"] is None
        assert client.post("/api/v1/server/resume").status_code == 409
        bad = client.post("/api/v1/server/drain", json={"seconds": 0})
        assert bad.status_code == 422

        again = client.post("/drain", data={"reason": "kernel", "minutes": "9"})
        assert again.status_code == 303
        assert "At most" in client.get("/").text
        gate.write_text("open")
        stopped = command(server, tmp_path, "drain", "--stop", "--reason", "kernel update")
        assert (stopped.returncode, stopped.stdout) == (0, "the server has ended\n"), stopped.stderr
        manager.wait_for("STOPPING=1")
        assert server.wait() == 0
    with serving(tmp_path, *OPTIONS) as server:
        server.wait_until_ready()
        start = server.client.get("/api/v1/server").json()["last_start"]
        assert start["drained"] == {"by": "owner", "reason": "kernel update"}
        assert "was drained by owner (kernel update)" in server.client.get("/").text
        assert any("drained by owner (kernel update)" in line for line in server.said)
        assert server.client.get(running).json()["result"] == []  # of the variables, nothing
        assert server.run("jobs.wait_for", str(gate))["state"] == "succeeded"
        notes = server.client.get("/api/v1/annotations").json()["items"]
        assert {"server_drain", "server_resume"} <= {note["kind"] for note in notes}


def test_the_command_says_when_no_server_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "drain", "--url", "http://127.0.0.1:9"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("pooldeck: no server answers")

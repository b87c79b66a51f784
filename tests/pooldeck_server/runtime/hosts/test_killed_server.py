"""A server that is killed and started again: what hosts of the run before it had in hand."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.host_processes import host_process, host_token
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

JOBS = '''
import time
from pathlib import Path
from pooldeck import current_task, task

def work(ledger, seconds):
    """Note in a ledger that it began, that it goes on, and that it ended."""
    until = time.monotonic() + seconds
    with Path(ledger).open("a", buffering=1) as file:
        file.write(f"start {current_task().attempt}\\n")
        while time.monotonic() < until:
            file.write(f"alive {time.time()}\\n")
            time.sleep(0.02)
        file.write("end\\n")

@task
def once(ledger: str, seconds: float) -> None:
    work(ledger, seconds)

@task(idempotent=True)
def again(ledger: str, seconds: float) -> int:
    work(ledger, seconds if current_task().attempt == 1 else 0)
    return current_task().attempt
'''
LONG = 60.0


class Installation:
    """A folder with a server's settings, and a port where it listens for hosts."""

    def __init__(self, folder: Path, lease: float) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.place = f"127.0.0.1:{free.getsockname()[1]}"
        (folder / "jobs.py").write_text(JOBS)
        (folder / "pooldeck.toml").write_text(
            f"""
            functions = ["jobs"]
            [hosts]
            listen = "{self.place}"
            lease_seconds = {lease}
            renew_seconds = 0.2
            margin_seconds = 1
            [pools.big]
            kind = "process"
            size = 2
            spare = 0
            hosts = {{ engine = "manual" }}
            """
        )

    @contextmanager
    def server(self) -> Iterator[Serving]:
        with serving(self.folder, environment={"PYTHONPATH": str(self.folder)}) as found:
            yield found

    @property
    def token(self) -> str:
        return host_token(self.folder / "pooldeck-data" / "pooldeck.sock")

    def ledger(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


def submit(
    server: Serving,
    installation: Installation,
    function: str,
    ledger: str,
    seconds: float = LONG,
) -> str:
    path = str(installation.folder / ledger)
    body = {"function": f"jobs.{function}", "args": [path, seconds]}
    answer = server.client.post("/api/v1/tasks", json=body)
    assert answer.status_code < 300, answer.text
    found: str = answer.json()["id"]
    return found


def shown(server: Serving, task: str) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/api/v1/tasks/{task}").json()
    return found


def kill(server: Serving) -> None:
    os.kill(server.process.pid, signal.SIGKILL)
    server.wait()


def wait_until_running(server: Serving, *tasks: str) -> None:
    def run() -> bool:
        return all(shown(server, task)["state"] == "running" for task in tasks)

    eventually(run, "they run", 60)


def last_sign_of_life(lines: list[str]) -> float:
    return max(float(line.split()[1]) for line in lines if line.startswith("alive"))


@pytest.mark.soak  # test_earlier_term.py has it without processes
def test_what_ran_on_a_host_is_decided_by_its_word_long_before_its_lease_is_over(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path, lease=120)
    with installation.server() as first:
        token = installation.token
        with host_process(tmp_path, "a", installation.place, token, functions=tmp_path):
            first.wait_until_ready()
            once, again = (submit(first, installation, name, name) for name in ("once", "again"))
            wait_until_running(first, once, again)
            waiting = submit(first, installation, "once", "waiting", 0.0)
            kill(first)

            with installation.server() as second:
                eventually(lambda: shown(second, once)["state"] == "lost", "it is lost", 60)
                lost_at, lost = time.time(), shown(second, once)
                for task, attempts in ((again, 2), (waiting, 1)):
                    found = second.client.get(f"/api/v1/tasks/{task}?wait=60").json()
                    assert (found["state"], found["attempt"]) == ("succeeded", attempts)
                report = second.client.get("/api/v1/server").json()["last_start"]

    assert lost["error"]["kind"] == "interrupted"
    assert "on the host a, which has ended it" in lost["error"]["message"]
    assert (report["lost"], report["rerun"], report["on_hosts"]) == (1, 1, 0)
    assert [line for line in installation.ledger("once") if "start" in line] == ["start 1"]
    assert last_sign_of_life(installation.ledger("once")) < lost_at


@pytest.mark.soak  # test_earlier_term.py has it without processes
def test_without_a_word_it_is_lost_when_the_lease_is_over_and_not_before(tmp_path: Path) -> None:
    installation = Installation(tmp_path, lease=40)
    with installation.server() as first:
        token = installation.token
        with host_process(tmp_path, "a", installation.place, token, functions=tmp_path) as host:
            first.wait_until_ready()
            task = submit(first, installation, "once", "once")
            wait_until_running(first, task)
            kill(first)
            os.kill(host.pid, signal.SIGSTOP)  # its keeper and its workers go on
            try:
                started_at = time.monotonic()
                with installation.server() as second:
                    before = shown(second, task)
                    refused = second.client.post(f"/api/v1/tasks/{task}/cancel", json={})
                    eventually(lambda: shown(second, task)["state"] == "lost", "it is lost", 120)
                    waited, lost_at = time.monotonic() - started_at, time.time()
                    lost = shown(second, task)
            finally:
                os.kill(host.pid, signal.SIGCONT)

    assert before["state"] == "running"
    assert refused.status_code == 409
    assert "was with a host when the server before this one ended" in refused.json()["detail"]
    assert waited >= 35.0
    assert lost["error"]["kind"] == "host_lost"
    assert last_sign_of_life(installation.ledger("once")) < lost_at
    assert json.dumps(lost["error"]).count("not heard of again") == 1

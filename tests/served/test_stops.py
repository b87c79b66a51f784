"""Stops as machines make them: by a service manager, a closed terminal, a container engine."""

import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.serving import COMMAND, Serving, serving
from tests.support.waiting import eventually

JOBS = """
import pathlib
import subprocess
import time
from pooldeck import task

@task
def wait_for(path: str) -> str:
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    return "done"

@task(idempotent=True)
def wait_again(path: str) -> str:
    return wait_for(path)

@task
def run_program() -> None:
    subprocess.run(["sleep", "600"], check=True)

@task
def fail_when(path: str) -> None:
    wait_for(path)
    raise ValueError("by itself")

@task
def leave_orphans(number: int) -> None:
    subprocess.run(["sh", "-c", "sleep 0.2 & " * number], check=True)

@task(timeout=0.5)
def be_overdue() -> None:
    subprocess.Popen(["sleep", "600"])
    time.sleep(600)
"""
CONFIG = """
functions = ["jobs"]
grace_seconds = {grace}

[pools.io]
kind = "thread"
size = 8

[pools.cpu]
kind = "process"
size = 4

[commands.rest]
run = ["sleep", "600"]
"""
NAMESPACE = ("unshare", "-Ur", "--pid", "--fork", "--mount-proc", "--kill-child")

EACH = (
    signal.SIGTERM,
    *(pytest.param(number, marks=pytest.mark.soak) for number in (signal.SIGINT, signal.SIGHUP)),
)


def prepared(folder: Path, grace: float = 60) -> Path:
    """Make a folder that a server can be started in."""
    (folder / "jobs.py").write_text(JOBS)
    (folder / "pooldeck.toml").write_text(CONFIG.format(grace=grace))
    return folder


def submit(server: Serving, function: str, *args: object, pool: str | None = None) -> str:
    """Submit a task, wait until it runs, and return its id."""
    body = {"function": function, "args": args} | ({"pool": pool} if pool else {})
    answer = server.client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task = str(answer.json()["id"])
    eventually(lambda: task_of(server, task)["state"] == "running", f"{function} runs")
    return task


def task_of(server: Serving, task: str) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/api/v1/tasks/{task}").json()
    return found


def signal_all(server: Serving, number: int) -> None:
    """Send a signal to the server and to every process under it, the server last."""
    process = psutil.Process(server.process.pid)
    for each in (*process.children(recursive=True), process):
        each.send_signal(number)


def is_in(mask: str, pid: int, number: int) -> bool:
    """Tell whether a signal is in a mask of a process: SigBlk what it blocks, SigIgn ignores."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{mask}:\s*([0-9a-f]+)", status)
    return found is not None and bool(int(found[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("number", EACH)
def test_a_signal_to_all_processes_lets_tasks_end_and_what_it_ended_is_told(
    tmp_path: Path, number: signal.Signals
) -> None:
    gate = tmp_path / "gate"
    with serving(prepared(tmp_path)) as server:
        server.wait_until_ready()
        waiting = [submit(server, "jobs.wait_for", str(gate), pool=name) for name in ("io", "cpu")]
        failing = submit(server, "jobs.fail_when", str(gate))
        programs = [submit(server, "jobs.run_program", pool=name) for name in ("io", "cpu")]
        programs.append(submit(server, "commands.rest"))
        children = psutil.Process(server.process.pid).children(recursive=True)
        eventually(lambda: sum(_is_sleep(each) for each in children) == len(programs))

        signal_all(server, number)
        eventually(lambda: server.client.get("/readyz").status_code == 503, "it was told to end")
        eventually(lambda: all(task_of(server, each)["state"] == "failed" for each in programs))
        gate.touch()
        assert server.wait() == 0
    said = "".join(server.said)
    assert re.search(r"ending: \d tasks run and may go on for 60 s: .*jobs\.wait_for \(", said)
    assert "ended in order\n" in said

    with serving(tmp_path) as server:
        assert [task_of(server, each)["state"] for each in waiting] == ["succeeded", "succeeded"]
        for error in (task_of(server, each)["error"] for each in programs):
            assert number.name in error["message"]
            assert "while the server was stopping" in error["message"]
        assert task_of(server, failing)["error"]["message"] == "by itself"
        log = server.client.get(f"/api/v1/tasks/{failing}/logs").json()["items"]
        assert "while the server was stopping" in log[-1]["message"]
        assert server.client.get("/api/v1/incidents").json()["items"] == []


def _is_sleep(process: psutil.Process) -> bool:
    return process.is_running() and process.name() == "sleep"


def test_what_an_end_in_good_order_cost_is_told_by_name_in_the_log_and_by_the_next_start(
    tmp_path: Path,
) -> None:
    never = str(tmp_path / "never")
    # Behind nohup SIGHUP is ignored, and stays so in the server and in its workers.
    with serving(prepared(tmp_path, grace=0.5), command=("nohup", *COMMAND)) as server:
        server.wait_until_ready()
        lost = [submit(server, "jobs.wait_for", never, pool=pool) for pool in ("io", "cpu")]
        again = submit(server, "jobs.wait_again", never)
        for process in psutil.Process(server.process.pid).children():
            assert is_in("SigIgn", process.pid, signal.SIGHUP)
        server.process.send_signal(signal.SIGHUP)
        assert server.client.get("/readyz").status_code == 200
        assert server.stop() == 0
    (last,) = [line for line in server.said if "ended in order" in line]
    assert " WARNING " in last
    assert "3 tasks were cut off: " in last
    for task in lost:
        assert f"jobs.wait_for ({task}) lost" in last
    assert f"jobs.wait_again ({again}) queued again" in last

    with serving(tmp_path) as server:
        report = server.client.get("/api/v1/server").json()["last_start"]
        assert (report["was_clean"], report["lost"], report["rerun"]) == (True, 2, 1)
        assert {task["task"]: task["became"] for task in report["cut_off"]} == {
            **dict.fromkeys(lost, "lost"),
            again: "queued",
        }
        page = server.client.get("/").text
        assert f'<a href="/tasks/{lost[0]}">jobs.wait_for was lost.</a>' in page
    (said,) = [line for line in server.said if "the server before this one" in line]
    assert " WARNING " in said
    assert "2 lost; cut off: jobs.wait_" in said


def test_a_terminal_that_is_closed_ends_the_server_in_order_with_exit_code_0(
    tmp_path: Path,
) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(prepared(tmp_path))
        os.execv(COMMAND[0], [*COMMAND, "serve", "--port", "0"])
    try:
        with httpx.Client(
            base_url=_address(terminal), timeout=30, trust_env=False, verify=NO_TLS
        ) as client:
            eventually(lambda: client.get("/readyz").status_code == 200, "the server is ready")
            body = {"function": "jobs.wait_for", "args": [str(tmp_path / "gate")]}
            task = client.post("/api/v1/tasks", json=body).json()["id"]
            url = f"/api/v1/tasks/{task}"
            eventually(lambda: client.get(url).json()["state"] == "running", "the task runs")
            os.close(terminal)
            eventually(lambda: client.get("/readyz").status_code == 503, "it was told to end")
            os.kill(pid, signal.SIGHUP)  # shells tell those that they have started, once more
            assert client.get(url).json()["state"] == "running"
        (tmp_path / "gate").touch()
        eventually(lambda: _has_ended(pid), "it ends")
    finally:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with closing(sqlite3.connect(tmp_path / "pooldeck-data" / "pooldeck.sqlite3")) as store:
        assert store.execute("SELECT state FROM tasks").fetchall() == [("succeeded",)]
        assert store.execute("SELECT count(*) FROM runs WHERE ended_at IS NULL").fetchone() == (0,)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _address(terminal: int) -> str:
    """Read what a server writes to its terminal until it says where it is."""
    said = b""
    while not (found := re.search(rb"http://\S+(?=\r)", said)):
        said += os.read(terminal, 4096)
    return found[0].decode()


@pytest.mark.parametrize("number", EACH)
def test_a_signal_before_the_server_can_take_it_is_taken_when_it_can(
    tmp_path: Path, number: int
) -> None:
    command = [*COMMAND, "serve", "--port", "0"]
    with started(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: is_in("SigBlk", process.pid, number), "the command runs")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "told to end before it had started" in said
    assert not (tmp_path / "pooldeck-data").exists()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that is process 1 of its own namespace; its process here is that of `unshare`."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*NAMESPACE, "true"], check=False).returncode
    ):
        pytest.skip("no namespaces of processes can be made here")
    folder = prepared(tmp_path_factory.mktemp("first"))
    with serving(folder, command=(*NAMESPACE, *COMMAND)) as server:
        server.wait_until_ready()
        yield server


def test_process_1_reaps_what_tasks_leave_and_no_worker_loses_its_exit_status(
    first: Serving,
) -> None:
    (server,) = psutil.Process(first.process.pid).children()
    for _ in range(5):
        assert first.run("jobs.leave_orphans", 4)["state"] == "succeeded"
    assert first.run("jobs.be_overdue")["error"]["kind"] == "timeout"
    eventually(lambda: not _zombies(server), "all are reaped", 20)
    worker = first.client.get("/api/v1/pools/cpu").json()["workers"][0]
    (process,) = [each for each in server.children() if _pid_inside(each) == worker["pid"]]
    process.kill()
    eventually(lambda: bool(first.client.get("/api/v1/incidents").json()["items"]), "it is noticed")
    (incident,) = first.client.get("/api/v1/incidents").json()["items"]
    assert incident["cause"] == "killed by SIGKILL"


def test_process_1_ends_in_order_as_any_other(first: Serving) -> None:
    (server,) = psutil.Process(first.process.pid).children()
    server.send_signal(signal.SIGTERM)
    assert first.wait() == 0
    assert "ended in order" in "".join(first.said)


def _zombies(process: psutil.Process) -> list[psutil.Process]:
    return [each for each in process.children() if each.status() == psutil.STATUS_ZOMBIE]


def _pid_inside(process: psutil.Process) -> int:
    """Return the id that a process has in the innermost of its namespaces."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"NSpid:.*\s(\d+)\n", status)
    return int(found[1]) if found else 0

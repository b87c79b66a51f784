"""`pooldeck run` over a server that dies, and one that is interrupted itself."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import started
from tests.support.serving import COMMAND, serving
from tests.support.waiting import eventually

JOBS = """
import pathlib
import time
from pooldeck import task

@task(pool="cpu", idempotent=True)
def square(n: int) -> int:
    time.sleep(0.01)
    return n * n

@task(pool="io", idempotent=True)
def gate(path: str) -> str:
    print("waits")
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    return "through"
"""


def test_a_run_goes_on_after_a_crash_of_the_server_and_an_interruption_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "lines").write_text("".join(f"[{n}]\n" for n in range(300)))
    with serving(tmp_path, "--functions", "jobs") as server:
        server.wait_until_ready()
        port = str(server.client.base_url.port)
        environment = {**os.environ, "POOLDECK_URL": f"http://127.0.0.1:{port}"}
        command = [*COMMAND, "run", "jobs.square", "lines", "-o", "results", "--window", "50"]
        with started(command, cwd=tmp_path, env=environment) as run:
            results = tmp_path / "results"
            eventually(lambda: results.exists() and results.stat().st_size > 0, "it has begun")
            server.process.send_signal(signal.SIGKILL)
            server.wait()
            with serving(tmp_path, "--functions", "jobs", "--port", port) as anew:
                begun = results.stat().st_size
                eventually(lambda: results.stat().st_size > begun, "it goes on")
                run.send_signal(signal.SIGINT)
                assert run.wait(60) == 130
                assert (
                    subprocess.run(
                        command, cwd=tmp_path, env=environment, timeout=120, check=False
                    ).returncode
                    == 0
                )
                counts = anew.client.get("/api/v1/functions/jobs.square").json()["statistics"]
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [each["result"] for each in lines] == [n * n for n in range(300)]
    assert counts["counts"] == {"succeeded": 300}, "each line is one task"


@pytest.mark.parametrize("option", ["--wait", "--follow"])
def test_who_waits_for_a_task_waits_beyond_a_restart_of_the_server(
    tmp_path: Path, option: str
) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    with serving(tmp_path, "--functions", "jobs") as server:
        server.wait_until_ready()
        url = str(server.client.base_url)
        with started(
            [*COMMAND, "submit", "jobs.gate", str(tmp_path / "open"), option],
            env={**os.environ, "POOLDECK_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        ) as waiting:
            listed = {"state": "running"}
            eventually(
                lambda: bool(server.client.get("/api/v1/tasks", params=listed).json()["items"]),
                "the task runs",
            )
            server.process.send_signal(signal.SIGKILL)
            server.wait()
            port = url.rpartition(":")[2].strip("/")
            with serving(tmp_path, "--functions", "jobs", "--port", port):
                (tmp_path / "open").touch()
                said, _ = waiting.communicate(timeout=120)
        assert (waiting.returncode, said) == (0, '"through"\n')

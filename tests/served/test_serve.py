"""The whole way through the command: from a start in a user's folder to an end in good order."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import samples
from pooldeck_server.cli import main
from tests import ROOT
from tests.support.serving import COMMAND, Serving, serving
from tests.support.waiting import eventually

WHERE = """
import os
import elsewhere
from pooldeck import task

@task
def where():
    return [__file__, elsewhere.__file__, os.getcwd()]
"""
PATIENT = """
import pathlib
import time
from pooldeck import task

@task
def wait_for(path):
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
"""

FAILING = {"examples.failures.divide": "exception", "examples.failures.crash": "crashed"}


def refusal(folder: Path, *options: str) -> tuple[int, list[str]]:
    """Return the exit code and the last line of a server that does not start."""
    completed = subprocess.run(
        [*COMMAND, "serve", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = completed.stderr.splitlines()
    return completed.returncode, [line for line in lines if line.startswith("pooldeck: ")]


def test_the_start_says_where_the_data_is_and_how_large_the_pools_are(tmp_path: Path) -> None:
    (tmp_path / "pooldeck.toml").write_text(
        "[pools.one]\nkind = 'thread'\nsize = 3\n[pools.two]\nkind = 'process'\nsize = 1\n"
    )

    with serving(tmp_path, "--data", "kept") as server:
        assert f"data in {tmp_path / 'kept'}" in "".join(server.said)
        assert "pools one (3 threads), two (1 process)" in "".join(server.said)


def test_a_server_without_functions_says_how_to_name_some(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path) as server:
        server.wait_until_ready()
        here = ("--url", str(server.client.base_url))
        codes = [main([name, *here]) for name in ("status", "functions")]

        assert codes == [0, 0]
        assert capfd.readouterr().out.count("name its module by `pooldeck serve --functions") == 2
        assert sum("start with --functions MODULE" in line for line in server.said) == 1


def test_a_server_that_is_told_to_end_has_exit_code_0(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server.client.get("/healthz").status_code == 200

        assert server.stop() == 0
        assert "Traceback" not in "".join(server.said)


def test_a_server_that_drains_still_answers_and_refuses_new_tasks(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(PATIENT)
    (tmp_path / "pooldeck.toml").write_text("grace_seconds = 60\n")

    with serving(tmp_path, "--functions", "jobs") as server:
        server.wait_until_ready()
        body = {"function": "jobs.wait_for", "args": [str(tmp_path / "gate")]}
        task = server.client.post("/api/v1/tasks", json=body).json()["id"]
        eventually(lambda: state_of(server, task) == "running")
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: server.client.get("/readyz").status_code == 503)
        refused = server.client.post("/api/v1/tasks", json=body)
        assert (refused.status_code, refused.json()["code"]) == (503, "draining")
        assert server.client.get("/healthz").status_code == 200

        (tmp_path / "gate").touch()
        last = server.client.get(f"/api/v1/tasks/{task}", params={"wait": 30}).json()
        assert server.wait() == 0
    assert last["state"] in {"running", "succeeded"}  # who asks while it drains need not wait


def test_a_second_signal_ends_what_runs_at_once(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(PATIENT)
    (tmp_path / "pooldeck.toml").write_text("grace_seconds = 600\n")

    with serving(tmp_path, "--functions", "jobs") as server:
        server.wait_until_ready()
        body = {"function": "jobs.wait_for", "args": [str(tmp_path / "never")]}
        task = server.client.post("/api/v1/tasks", json=body).json()["id"]
        eventually(lambda: state_of(server, task) == "running")
        server.process.send_signal(signal.SIGINT)
        eventually(lambda: server.client.get("/readyz").status_code == 503)
        eventually(lambda: has_ended_or_is_asked_again(server), "it ends")
        assert server.wait() == 0

    with serving(tmp_path, "--functions", "jobs") as server:
        assert state_of(server, task) == "lost"
        assert "ended in order" in "".join(server.said)


def has_ended_or_is_asked_again(server: Serving) -> bool:
    """Tell whether a server has ended; if not, ask it once more to."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
        return False
    return True


def state_of(server: Serving, task: str) -> str:
    return str(server.client.get(f"/api/v1/tasks/{task}").json()["state"])


def test_workers_find_what_the_server_must_not_see(tmp_path: Path) -> None:
    project, path = tmp_path / "project", tmp_path / "path"
    (project / "app").mkdir(parents=True)
    path.mkdir()
    (project / "app" / "__init__.py").touch()
    (project / "app" / "jobs.py").write_text(WHERE)
    (path / "elsewhere.py").touch()

    with serving(
        project, "--functions", "app.jobs", environment={"PYTHONPATH": str(path)}
    ) as server:
        server.wait_until_ready()
        task = server.run("app.jobs.where")

    assert task["result"] == [
        str(project / "app" / "jobs.py"),
        str(path / "elsewhere.py"),
        str(project),
    ]


def test_an_address_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        port = str(server.client.base_url.port)

        exit_code, said = refusal(tmp_path, "--port", port, "--data", "other")

    assert (exit_code, len(said)) == (1, 1)
    assert f"127.0.0.1:{port}" in said[0]


def test_a_second_server_on_the_same_data_is_refused_in_one_line(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        exit_code, said = refusal(tmp_path, "--port", "0")

        assert (exit_code, len(said)) == (1, 1)
        assert str(server.process.pid) in said[0]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of the examples."""
    folder = tmp_path_factory.mktemp("examples")
    samples.write_samples(folder / "examples" / "data", chapters=2)
    with serving(folder, "--config", str(ROOT / "examples" / "pooldeck.toml")) as server:
        server.wait_until_ready()
        yield server


def test_every_example_runs_with_nothing_filled_in(examples: Serving) -> None:
    listed = examples.client.get("/api/v1/functions").json()["items"]
    names = {function["name"] for function in listed} - {"examples.failures.flaky"}

    tasks = {name: examples.run(name) for name in sorted(names)}

    assert len(tasks) == 15
    became = {
        name: (task["state"], task["error"] and task["error"]["kind"])
        for name, task in tasks.items()
    }
    assert became == {
        name: ("failed", FAILING[name]) if name in FAILING else ("succeeded", None)
        for name in names
    }


def test_the_flaky_example_ends_either_way(examples: Serving) -> None:
    always, never = (examples.run("examples.failures.flaky", rate) for rate in (1, 0))

    assert (always["state"], never["state"]) == ("failed", "succeeded")
    assert always["error"]["type"] == "ConnectionError"


def test_what_the_chatty_example_says_is_in_its_log(examples: Serving) -> None:
    task = examples.run("examples.failures.chatty", 2)

    log = examples.client.get(f"/api/v1/tasks/{task['id']}/logs").json()["items"]
    said = {(line["source"], line["message"]) for line in log}
    assert {("stdout", "printed line 2"), ("examples.failures", "that was all")} <= said

"""`pooldeck dev`: a real one over a project that changes."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.developing.project import Project
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.programs import started
from tests.support.serving import COMMAND
from tests.support.waiting import eventually

JOBS = """
import os
import time
import shop_values
from pooldeck import task

@task(pool="cpu")
def price(thing: str) -> int:
    print("looking at", thing)
    return shop_values.PRICES[thing]

@task(pool="io")
def wait_for(path: str) -> int:
    while not os.path.exists(path):
        time.sleep(0.05)
    return shop_values.PRICES["pen"]

@task(pool="io")
def pid() -> int:
    return os.getpid()
"""
VALUES = "PRICES = {'pen': 1}\n"
SETTINGS = """
[pools.cpu]
kind = "process"
size = 1
spare = 0
[pools.io]
kind = "thread"
size = 1
"""


class Dev:
    """A `pooldeck dev` that runs; `said` is what it has written, line by line."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.folder, self.process = folder, process
        self.said: list[str] = []
        Thread(target=self._read, daemon=True).start()
        self.wait_for("functions: jobs.pid, jobs.price, jobs.wait_for")
        self.url = re.findall(r"http://[\d.:]+", "".join(self.said))[0]

    def wait_for(self, words: str, since: int = 0) -> None:
        """Return when it has said something, after as many lines as `since`."""
        eventually(lambda: words in "".join(self.said[since:]), f"it says {words}: {self.said}")

    def change(self, name: str, text: str) -> int:
        """Write a file, and return how many lines had been said before."""
        before = len(self.said)
        (self.folder / name).write_text(text)
        return before

    def run(self, function: str, *args: Any, wait: int = 60) -> Any:
        """Run a task, and return it when it has ended or after so many seconds."""
        answer = httpx.post(
            f"{self.url}/api/v1/tasks",
            params={"wait": wait},
            json={"function": function, "args": args},
            headers=self._headers(),
            timeout=90,
            verify=NO_TLS,
        )
        return answer.json()

    def running(self) -> int:
        """Return how many tasks run."""
        answer = httpx.get(
            f"{self.url}/api/v1/tasks?state=running",
            headers=self._headers(),
            timeout=PATIENCE,
            verify=NO_TLS,
        )
        return len(answer.json()["items"])

    def _headers(self) -> dict[str, str]:
        token = json.loads(self.address.read_bytes())["token"]
        return {"Authorization": f"Bearer {token}"}

    @property
    def address(self) -> Path:
        return self.folder / ".pooldeck-dev" / "beside" / "address.json"

    @property
    def server(self) -> psutil.Process:
        return psutil.Process(json.loads(self.address.read_bytes())["pid"])

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(self.process.stdout)  # takes each line as it comes


@contextmanager
def developing(folder: Path) -> Iterator[Dev]:
    """Run `pooldeck dev jobs.py` in a project of two files and settings."""
    for name, text in (
        ("jobs.py", JOBS),
        ("shop_values.py", VALUES),
        ("pooldeck.toml", SETTINGS),
    ):
        (folder / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
    with started(
        [*COMMAND, "dev", "jobs.py", "--no-open"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield Dev(folder, process)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with developing(tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "dev" in request.fixturenames:
        dev = request.getfixturevalue("dev")
        dev.wait_for("loaded: 3 functions", dev.change("shop_values.py", VALUES))


def test_prints_and_ends_are_shown_with_the_name_of_the_function(dev: Dev) -> None:
    task = dev.run("jobs.price", "pen")

    assert task["result"] == 1
    short = task["id"][-6:]
    dev.wait_for(f"jobs.price {short} looking at pen\n")
    dev.wait_for(f"jobs.price {short} succeeded after ")


def test_an_error_is_shown_with_its_traceback_and_where_to_see_more(dev: Dev) -> None:
    task = dev.run("jobs.price", "car")

    dev.wait_for(f"see {dev.url}/tasks/{task['id']}\n")
    dev.wait_for("    return shop_values.PRICES[thing]\n")
    dev.wait_for("KeyError: 'car'\n")


def test_a_change_of_a_module_that_is_imported_is_loaded(dev: Dev) -> None:
    before = dev.change("shop_values.py", "PRICES = {'pen': 7}\n")
    dev.wait_for("changed: shop_values.py\n", before)
    dev.wait_for("loaded: 3 functions\n", before)

    assert dev.run("jobs.price", "pen")["result"] == 7


def test_what_cannot_be_loaded_is_shown_and_what_was_loaded_goes_on(dev: Dev) -> None:
    before = dev.change("shop_values.py", "PRICES = {'pen': \n")
    dev.wait_for("jobs cannot be loaded; what was loaded before goes on\n", before)
    dev.wait_for("SyntaxError: '{' was never closed\n", before)

    assert dev.run("jobs.price", "pen")["result"] == 1

    before = dev.change("shop_values.py", "PRICES = {'pen': 9}\n")
    dev.wait_for("loaded: 3 functions\n", before)
    assert dev.run("jobs.price", "pen")["result"] == 9


def test_what_runs_ends_with_the_code_that_it_began_with(dev: Dev) -> None:
    dev.run("jobs.wait_for", "go", wait=0)
    eventually(lambda: dev.running() == 1, "it runs")
    before = dev.change("shop_values.py", "PRICES = {'pen': 5}\n")
    dev.wait_for("; what runs in io ends with the code that it began with\n", before)

    assert dev.run("jobs.price", "pen")["result"] == 5
    before = dev.change("go", "")
    dev.wait_for("jobs.wait_for", before)
    dev.wait_for(": 1\n", before)


def test_what_is_no_code_of_the_project_changes_nothing(dev: Dev) -> None:
    worker = dev.run("jobs.pid")["result"]
    (dev.folder / ".venv").mkdir(exist_ok=True)
    before = dev.change(".venv/other.py", "")
    dev.change("notes.txt", "")

    dev.wait_for("loaded: 3 functions", dev.change("shop_values.py", VALUES))
    assert "other.py" not in "".join(dev.said[before:])
    assert "notes.txt" not in "".join(dev.said[before:])
    assert dev.run("jobs.pid")["result"] != worker


def test_other_settings_start_the_server_anew_at_the_same_address(dev: Dev) -> None:
    server = dev.server
    before = dev.change("pooldeck.toml", f"{SETTINGS}[nonsense]\n")
    dev.wait_for("nonsense", before)
    dev.wait_for("the server has not started: mend it, and it is tried again\n", before)
    assert not server.is_running()

    before = dev.change("pooldeck.toml", SETTINGS.replace("size = 1\n[", "size = 2\n["))
    dev.wait_for("3 functions: jobs.pid, jobs.price, jobs.wait_for\n", before)

    assert dev.url in "".join(dev.said[before:])
    assert dev.run("jobs.price", "pen")["result"] == 1


def test_a_server_that_dies_is_said_and_started_anew_with_the_next_change(dev: Dev) -> None:
    before = len(dev.said)
    dev.server.kill()
    dev.wait_for("the server has ended with exit code -9", before)

    before = dev.change("shop_values.py", "PRICES = {'pen': 3}\n")
    dev.wait_for("3 functions: jobs.pid, jobs.price, jobs.wait_for\n", before)
    assert dev.run("jobs.price", "pen")["result"] == 3


def test_a_second_one_over_the_same_folder_says_so(dev: Dev) -> None:
    second = subprocess.run(
        [*COMMAND, "dev", "jobs.py"],
        cwd=dev.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert "another server uses" in second.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_whatever_ends_it_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with developing(tmp_path) as dev:
        worker = psutil.Process(dev.run("jobs.pid")["result"])
        server = dev.server
        dev.process.send_signal(number)

        assert dev.process.wait(60) == code
        eventually(lambda: not server.is_running(), "the server has ended")
        eventually(lambda: not worker.is_running(), "the worker has ended")


def test_a_file_in_a_package_is_imported_from_the_folder_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme" / "inner").mkdir(parents=True)
    for name in ("acme/__init__.py", "acme/inner/__init__.py", "acme/inner/jobs.py", "jobs.py"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    assert Project.of("acme/inner/jobs.py") == Project(tmp_path, "acme.inner.jobs")
    assert Project.of("acme/inner/__init__.py") == Project(tmp_path, "acme.inner")
    assert Project.of("jobs.py") == Project(tmp_path, "jobs")
    assert Project.of("acme.inner.jobs") == Project(tmp_path, "acme.inner.jobs")


@pytest.mark.parametrize("named", ["no-such.py", "two words.py", "a-b.py", "acme", "", None])
def test_what_cannot_be_served_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    (tmp_path / "a-b.py").touch()
    (tmp_path / "acme").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Complaint) as refused:
        Project.of(named)

    assert refused.value.exit_code == 2

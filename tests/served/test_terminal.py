"""What a server says on its standard error while things go wrong, and when they are well again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.terminal.repeats import SAID_FIRST
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

FRAGILE = """
import os
from pathlib import Path

from pooldeck import task

if Path("broken").exists():
    raise ConnectionError("no warehouse")

@task(pool="cpu")
def crash():
    os.abort()

@task(pool="cpu")
def work():
    pass

@task(pool="cpu")
def leave(code):
    os._exit(code)
"""
CONFIG = f"""
functions = ["fragile"]
hold_after = {SAID_FIRST + 3}

[terminal]
level = "verbose"

[pools.cpu]
kind = "process"
size = 1
"""
CRASHES = SAID_FIRST + 3
CLUSTER = {"POOLDECK_PORT": "tcp://10.96.0.17:8000", "POOLDECK_SERVICE_HOST": "10.96.0.17"}


class Story:
    """A server that went through all of it, and the lines that it wrote."""

    def __init__(
        self, said: list[str], crashed: list[dict[str, Any]], left: dict[str, Any]
    ) -> None:
        self.lines = [json.loads(line) for line in said]
        self.crashed = crashed
        self.left = left

    def about(self, *words: str, **fields: object) -> list[dict[str, Any]]:
        """Return the lines that have all these words and fields."""
        return [
            line
            for line in self.lines
            if all(word in line["message"] for word in words) and fields.items() <= line.items()
        ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "fragile.py").write_text(FRAGILE)
    (folder / "pooldeck.toml").write_text(CONFIG)
    with serving(folder, "--log-format", "json", environment=CLUSTER) as server:
        server.wait_until_ready()
        left = server.run("fragile.leave", 3)
        crashed = [server.run("fragile.crash") for _ in range(CRASHES)]
        server.client.post("/api/v1/functions/fragile.crash/release")
        server.run("fragile.work")  # its worker goes on where a restart fails
        restart_with(server, folder, is_broken=True)
        restart_with(server, folder, is_broken=False)
        server.stop()
        yield Story(server.said, crashed, left)


def restart_with(server: Serving, folder: Path, *, is_broken: bool) -> None:
    """Restart the pool with a module that can be loaded, or not, and wait for what comes of it."""
    if is_broken:
        (folder / "broken").touch()
    else:
        (folder / "broken").unlink()
    server.client.post("/api/v1/pools/cpu/restart")

    def has_come() -> bool:
        pool = server.client.get("/api/v1/pools/cpu").json()
        return bool(pool["reason"]) == is_broken

    eventually(has_come, "the restart has ended")


def test_a_death_names_worker_cause_culprit_and_where_to_look(story: Story) -> None:
    (line,) = story.about("exited with code 3", level="WARNING")

    task, worker = story.left["id"], story.left["worker"]
    assert line["level"] == "WARNING"
    assert line["message"].startswith(
        f"worker {worker['id']} (pid {worker['pid']}) exited with code 3 "
        f"while it ran fragile.leave (task {task}): see /incidents/"
    )
    assert (line["pool"], line["worker"], line["pid"]) == ("cpu", worker["id"], worker["pid"])
    assert (line["task"], line["function"]) == (task, "fragile.leave")


def test_a_function_that_crashes_many_times_is_a_few_lines_and_a_count(story: Story) -> None:
    lines = story.about("was killed by SIGABRT", function="fragile.crash")

    tasks = [task["id"] for task in story.crashed]
    assert [line["task"] for line in lines] == [*tasks[:SAID_FIRST], tasks[-1]]
    assert lines[-1]["repeated"] == CRASHES - SAID_FIRST


def test_a_hold_says_why_and_how_it_is_released_and_that_it_was(story: Story) -> None:
    (held,) = story.about("on hold", level="WARNING", function="fragile.crash")
    (released,) = story.about("is released", function="fragile.crash")

    assert f"{CRASHES} workers died under fragile.crash" in held["message"]
    assert "POST /api/v1/functions/fragile.crash/release" in held["message"]
    assert released["level"] == "INFO"


def test_a_restart_that_fails_says_so_with_the_error_and_without_its_traceback(
    story: Story,
) -> None:
    (line,) = story.about("the restart was ended", pool="cpu", level="WARNING")

    assert line["message"].endswith("ConnectionError: no warehouse")


def test_a_verbose_server_tells_of_requests_and_of_the_coming_and_going_of_workers(
    story: Story,
) -> None:
    worker = story.left["worker"]

    [*_, request] = story.about("POST /api/v1/tasks", method="POST", status=200)
    assert request["route"] == "/api/v1/tasks"
    assert request["principal"] == "owner"
    assert request["duration"] > 0
    assert story.about(f"worker {worker['id']} (pid {worker['pid']}) is ready", level="DEBUG")
    assert story.about(f"worker {worker['id']} ", "is gone", "exited with code 3", level="DEBUG")


def test_variables_of_an_orchestrator_are_named_in_one_line(story: Story) -> None:
    (line,) = story.about(*CLUSTER)

    assert "ignored" in line["message"]
    assert not any(value in line["message"] for value in CLUSTER.values())


def test_every_line_has_a_time_a_level_a_logger_and_a_message(story: Story) -> None:
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in story.lines)
    assert os.linesep not in "".join(line["message"] for line in story.about("fragile"))

"""Logs as a container's platform takes them: an object a line, of tasks and of the server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.support.serving import COMMAND, serving

FUNCTIONS: Final = """
from pooldeck import task

@task(pool="cpu")
def speak():
    print("a word")

@task(pool="cpu")
def break_down():
    raise ValueError("no good")
"""
CONFIG: Final = """
functions = ["speaking"]
token = "a-token-of-16-characters"

[terminal]
format = "json"
requests = true

[log]
path = "-"
format = "json"
server = true

[pools.cpu]
kind = "process"
size = 1
"""
BEARER: Final = {"authorization": "Bearer a-token-of-16-characters"}


class Said(NamedTuple):
    """What a server has written."""

    out: list[dict[str, Any]]  # to standard output
    err: list[dict[str, Any]]
    task: dict[str, Any]  # that has spoken


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    folder: Path = tmp_path_factory.mktemp("said")
    (folder / "speaking.py").write_text(FUNCTIONS)
    (folder / "pooldeck.toml").write_text(CONFIG)
    shell = ("sh", "-c", 'exec "$0" "$@" >out', *COMMAND)
    with serving(folder, command=shell) as server:
        server.client.headers.update(BEARER)
        server.wait_until_ready()
        task = server.run("speaking.speak")
        server.client.get("/api/v1/tasks", params={"q": "a secret"})
        server.client.get("/api/v1/tasks", headers={"authorization": "Bearer wrong"})
        assert server.stop() == 0
        out = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
        yield Said(out, [json.loads(line) for line in server.said], task)


def test_a_line_of_a_task_says_whose_it_is(said: Said) -> None:
    [line] = [each for each in said.out if each["message"] == "a word"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
    assert (line["task"], line["attempt"]) == (said.task["id"], 1)
    assert (line["function"], line["pool"]) == ("speaking.speak", "cpu")
    assert (line["worker"], line["source"]) == (said.task["worker"]["id"], "stdout")
    assert line["level"] == "INFO"


def test_a_request_says_who_asked_for_what_and_what_came_of_it(said: Said) -> None:
    logger = "pooldeck_server.web.http.requests"
    requests = [each for each in said.err if each["logger"] == logger]

    [submission] = [each for each in requests if each["method"] == "POST"]
    assert (submission["route"], submission["status"]) == ("/api/v1/tasks", 200)
    assert (submission["principal"], submission["client"]) == ("owner", "127.0.0.1")
    assert submission["duration"] > 0
    [refused] = [each for each in requests if each["status"] == 401]
    assert "principal" not in refused
    assert not [each for each in said.err if "a secret" in json.dumps(each)]


def test_the_servers_own_lines_go_along_with_what_they_are_about(said: Said) -> None:
    of_server = [each for each in said.out if each["source"].startswith("pooldeck_server")]

    assert [each for each in of_server if each.get("route") == "/api/v1/tasks"]
    assert {"time", "level", "source", "message"} <= of_server[0].keys()

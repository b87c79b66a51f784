"""What a sensitive argument holds is found nowhere, whatever its function does with it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import FUNCTIONS
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

SECRET = "kw9$Zb/'7 hunter-ö"
PIN = 90817263
_CONFIG = """
functions = ["secret_functions"]

[pools.io]
kind = "thread"
size = 4

[pools.cpu]
kind = "process"
size = 2
spare = 0

[log]
path = "tasks.log"
"""
_HERE = {"PYTHONPATH": str(FUNCTIONS)}
BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])
_PATHS = ("", "/attempts", "/logs")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "pooldeck.toml").write_text(_CONFIG)
    with serving(folder, environment=_HERE) as server:
        server.wait_until_ready()
        server.folder = folder  # type: ignore[attr-defined]
        yield server


def submit(server: Serving, function: str, *args: object, pool: str) -> str:
    body = {"function": f"secret_functions.{function}", "args": args, "pool": pool}
    answer = server.client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def ended(server: Serving, task: str) -> None:
    answer = server.client.get(f"/api/v1/tasks/{task}?wait=60").json()
    assert answer["finished_at"], answer


def told_of(server: Serving, task: str) -> str:
    """Return all that the server tells of a task, by the API and on pages."""
    asked = [f"/api/v1/tasks/{task}{path}" for path in _PATHS]
    asked += ["/api/v1/errors", "/api/v1/incidents", "/api/v1/actions", "/api/v1/tasks"]
    asked += [f"/tasks/{task}", f"/tasks/{task}/log", "/tasks", "/errors", "/incidents", "/pools"]
    return "\n".join(server.client.get(path).text for path in asked)


def traces(text: str) -> list[str]:
    """Return which traces of the values are in a text."""
    return [each for each in ("hunter", "kw9$", "kw9%24", str(PIN), "90,817,263") if each in text]


def kept(server: Serving) -> str:
    """Return what is in the files of the database and in the log file."""
    folder: Path = server.folder  # type: ignore[attr-defined]
    files = [*folder.glob("pooldeck-data/pooldeck.sqlite3*"), folder / "tasks.log"]
    found = [each.read_bytes() for each in files if each.is_file()]
    return b"\n".join(found).decode("utf-8", "replace")


def is_gone(server: Serving) -> None:
    """Return when nothing is left of it in the files: arguments go with a task's end."""
    eventually(lambda: not traces(kept(server)), "nothing of it is in the files")


@BOTH
def test_not_in_the_messages_of_errors_and_in_tracebacks(server: Serving, pool: str) -> None:
    task = submit(server, "raise_it", SECRET, pool=pool)
    ended(server, task)
    told = told_of(server, task)
    assert "cannot log in with" in told
    assert "[redacted]" in told
    assert traces(told) == []
    is_gone(server)


@BOTH
def test_not_in_what_is_said_by_python_by_c_code_and_by_children(
    server: Serving, pool: str
) -> None:
    task = submit(server, "say_it", SECRET, PIN, pool=pool)
    ended(server, task)
    told = told_of(server, task)
    said = json.dumps(server.client.get(f"/api/v1/tasks/{task}/logs").json())
    assert "in pieces [redacted]" in said
    assert "C code says [redacted]" in said
    assert "a line with [redacted]" in said
    assert "logging in with [redacted]" in told
    assert traces(told) == []
    assert traces("".join(server.said)) == []
    is_gone(server)


@BOTH
def test_not_in_the_words_for_what_cannot_be_a_result(server: Serving, pool: str) -> None:
    task = submit(server, "return_it", SECRET, pool=pool)
    ended(server, task)
    told = told_of(server, task)
    assert "bad_result" in told
    assert traces(told) == []
    is_gone(server)


@BOTH
def test_not_in_the_last_words_of_a_worker_that_died_of_it(server: Serving, pool: str) -> None:
    task = submit(server, "die_with_it", SECRET, pool=pool)
    ended(server, task)
    eventually(
        lambda: "terminate called, [redacted]" in told_of(server, task), "its last words are there"
    )
    told = told_of(server, task)
    assert "last words [redacted]" in told
    assert "unfinished [redacted]" in told
    assert traces(told) == []
    is_gone(server)


def test_not_in_what_a_task_beside_it_says_in_the_same_process(
    server: Serving, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    holding = submit(server, "hold_it", SECRET, str(flag), pool="io")
    eventually(
        lambda: server.client.get(f"/api/v1/tasks/{holding}").json()["state"] == "running",
        "it runs",
    )
    beside = server.client.post(
        "/api/v1/tasks", json={"function": "secret_functions.repeat", "args": ["x"], "pool": "io"}
    ).json()["id"]
    ended(server, beside)
    flag.touch()
    ended(server, holding)
    assert "beside it x" in told_of(server, beside)
    assert traces(told_of(server, holding)) == []
    is_gone(server)

"""Promises that only a whole server can keep: real processes, real HTTP, a real restart."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.serving import Serving, serving

_FUNCTIONS = """
import ctypes
import logging
import os
import time

from pooldeck import current_task, task


@task
def chat(word: str) -> dict:
    current_task().progress(0.5, "halfway")
    logging.getLogger("chat").warning("about %s", word)
    print("said", word)
    return {"word": word}


@task
def fail(word: str) -> None:
    raise ValueError(word) from KeyError("the cause")


@task
def leave(code: int) -> None:
    os._exit(code)


@task
def segfault() -> None:
    ctypes.string_at(0)


@task
def burn(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@task
def hold_gil(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)


@task
def sleep(seconds: float) -> None:
    time.sleep(seconds)
"""

_CONFIG = """
functions = ["app.jobs"]
grace_seconds = 0.5

[pools.io]
kind = "thread"
size = 16

[pools.cpu]
kind = "process"
size = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a package of the user's own that is called app."""
    package = tmp_path / "app"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "jobs.py").write_text(_FUNCTIONS)
    (tmp_path / "pooldeck.toml").write_text(_CONFIG)
    return tmp_path


def submit(server: Serving, function: str, *args: object, wait: int = 0, **body: object) -> Any:
    answer = server.client.post(
        "/api/v1/tasks",
        params={"wait": wait},
        json={"function": f"app.jobs.{function}", "args": args} | body,
    )
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()


def get(server: Serving, path: str) -> Any:
    answer = server.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("pool", ["io", "cpu"])
@pytest.mark.parametrize(
    ("function", "args"),
    [("segfault", ()), pytest.param("leave", (1,), marks=pytest.mark.soak)],
)
def test_a_task_that_ends_its_worker_leaves_the_server_answering_and_the_next_task_running(
    folder: Path, pool: str, function: str, args: tuple[object, ...]
) -> None:
    with serving(folder) as server:
        server.wait_until_ready()
        crashed = submit(server, function, *args, pool=pool, wait=30)
        assert (crashed["state"], crashed["error"]["kind"]) == ("failed", "crashed")
        assert crashed["error"]["type"] == "BrokenProcessPool"
        assert get(server, "/healthz") == {"status": "ok"}
        assert submit(server, "chat", "on", pool=pool, wait=30)["result"] == {"word": "on"}
        health = get(server, f"/api/v1/pools/{pool}")
        assert (health["state"], health["incidents"]) == ("running", 1)


def test_everything_about_a_task_survives_a_restart_and_what_is_queued_runs(folder: Path) -> None:
    with serving(folder) as server:
        server.wait_until_ready()
        chat = submit(server, "chat", "this", wait=30)
        failed = submit(server, "fail", "that", wait=30)
        submit(server, "sleep", 600, pool="cpu")
        queued = submit(server, "chat", "later", pool="cpu")
        before = [get(server, f"/api/v1/tasks/{task['id']}") for task in (chat, failed)]
    with serving(folder) as server:
        server.wait_until_ready()
        assert [get(server, f"/api/v1/tasks/{task['id']}") for task in (chat, failed)] == before
        _check_chat(server, before[0])
        assert before[1]["future"] == "FINISHED"
        assert before[1]["error"]["cause"]["type"] == "KeyError"
        assert (
            'raise ValueError(word) from KeyError("the cause")' in before[1]["error"]["traceback"]
        )
        later = get(server, f"/api/v1/tasks/{queued['id']}?wait=30")
        assert (later["state"], later["result"]) == ("succeeded", {"word": "later"})
    with closing(sqlite3.connect(folder / "pooldeck-data/pooldeck.sqlite3")) as database:
        states = database.execute("SELECT state FROM tasks ORDER BY seq").fetchall()
        assert states == [("succeeded",), ("failed",), ("lost",), ("succeeded",)]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _check_chat(server: Serving, task: dict[str, Any]) -> None:
    assert task["progress"] == {"fraction": 0.5, "message": "halfway"}
    assert task["timing"]["run"] > 0
    lines = get(server, f"/api/v1/tasks/{task['id']}/logs")["items"]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("WARNING", "about this"),
        ("INFO", "said this"),
    ]
    page = server.client.get(f"/tasks/{task['id']}").text
    assert "halfway" in page
    assert "said this" in page


def test_the_server_answers_while_threads_burn_cpu_and_one_holds_the_gil(folder: Path) -> None:
    with serving(folder) as server:
        server.wait_until_ready()
        for _ in range(8):
            submit(server, "burn", 5, pool="io")
        submit(server, "hold_gil", 5, pool="io")
        until = time.monotonic() + 5
        seconds = []
        with httpx.Client(
            base_url=server.client.base_url, trust_env=False, timeout=PATIENCE, verify=NO_TLS
        ) as client:
            while time.monotonic() < until:
                seconds.append(_seconds(client))
        # Half as long as the GIL is held, however busy the machine is; wanted: 0.25, see bench.
        assert sorted(seconds)[len(seconds) * 99 // 100] < 2.5


def _seconds(client: httpx.Client) -> float:
    begun = time.monotonic()
    assert client.get("/healthz").status_code == 200
    return time.monotonic() - begun

"""A server that dies in the middle of deleting: each task is whole, or gone with all its own."""

import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from pooldeck_server.failpoints import VARIABLE
from tests.support.programs import started
from tests.support.serving import COMMAND, Serving, serving
from tests.support.waiting import eventually

FUNCTIONS = """
from pooldeck import current_task, task

@task(pool="io")
def say(word):
    print(word)
    return word
"""
TASKS = 200
MOST = 20


def served(folder: Path) -> tuple[str, ...]:
    (folder / "jobs.py").write_text(FUNCTIONS)
    return ("--functions", "jobs", "--data", "data")


def submit_all(server: Serving) -> None:
    items = [
        {
            "function": "jobs.say",
            "args": [f"word {number}"],
            "tags": ["said"],
            "idempotency_key": f"key {number}",
        }
        for number in range(TASKS)
    ]
    answer = server.client.post("/api/v1/tasks/batch", json={"tasks": items})
    assert answer.status_code == 202, answer.text
    eventually(lambda: tasks_by_state(server) == {"succeeded": TASKS}, "all have ended")


def tasks_by_state(server: Serving) -> "dict[str, int]":
    found: Counter[str] = Counter()
    for line in server.client.get("/metrics").text.splitlines():
        if line.startswith("pooldeck_tasks{"):
            labels, number = line.rsplit(" ", 1)
            found[labels.split('state="')[1].split('"')[0]] += int(float(number))
    return +found


def check_whole(database: Path) -> int:
    """See that nothing is left of what was deleted, and nothing missing; return how many stay."""
    with closing(sqlite3.connect(database)) as connection:
        read = connection.execute
        assert read("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert read("PRAGMA foreign_key_check").fetchall() == []
        ((number,),) = read("SELECT count(*) FROM tasks").fetchall()
        ((counted,),) = read("SELECT sum(n) FROM counters").fetchall()
        ((tagged,),) = read("SELECT count(*) FROM task_tags").fetchall()
        ((keys,),) = read("SELECT count(*) FROM deleted").fetchall()
        ((logged,),) = read("SELECT count(DISTINCT seq) FROM logs").fetchall()
        assert counted == tagged == logged == number
        assert keys == TASKS - number
        connection.execute("INSERT INTO argument_text(argument_text) VALUES ('integrity-check')")
        connection.rollback()
    return int(number)


@pytest.mark.soak
def test_a_server_killed_while_it_deletes_leaves_each_task_whole_or_gone(tmp_path: Path) -> None:
    database = tmp_path / "data" / "pooldeck.sqlite3"
    with serving(tmp_path, *served(tmp_path)) as server:
        server.wait_until_ready()
        submit_all(server)
    environment = {"POOLDECK_RETENTION__MOST": str(MOST)}
    dying = environment | {VARIABLE: "in_deletion:2"}
    arguments = [*COMMAND, "serve", "--port", "0", *served(tmp_path)]
    with started(arguments, cwd=tmp_path, env=os.environ | dying) as process:
        assert process.wait(timeout=90) == -signal.SIGKILL
    assert MOST < check_whole(database) < TASKS
    with serving(tmp_path, *served(tmp_path), environment=environment) as server:
        eventually(lambda: tasks_by_state(server) == {"succeeded": MOST}, "the rest has gone")
        body = {"function": "jobs.say", "args": ["word 0"], "tags": ["said"]}
        headers = {"Idempotency-Key": "key 0"}
        again = server.client.post("/api/v1/tasks", json=body, headers=headers)
        assert (again.status_code, again.json()["code"]) == (410, "task_deleted")
    assert check_whole(database) == MOST

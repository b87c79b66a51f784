"""Declared commands on a real server: called, refused, shown and stopped like any function."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck.kinds import Ending
from tests.support.served import Served, served
from tests.support.watching import task_in

COMMANDS = {
    "count_words": {
        "run": ["wc", "-w", "--", "{path}"],
        "description": "Count the words of a file.",
        "parameters": {"path": {"description": "The file."}},
    },
    "head": {
        "run": ["head", "--lines={lines}", "{path}"],
        "parameters": {
            "lines": {"type": "integer", "default": 10, "minimum": 1},
            "path": {"default": "/dev/null"},
        },
        "sensitive": ["path"],
    },
    "wait": {"run": ["sleep", "{seconds}"], "parameters": {"seconds": {"type": "integer"}}},
    "wait_alone": {
        "run": ["sleep", "{seconds}"],
        "parameters": {"seconds": {"type": "integer"}},
        "pool": "solo",
    },
    "missing": {"run": ["no-such-program"]},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data"), commands=COMMANDS) as running:
        yield running


def submit(server: Served, name: str, **arguments: object) -> dict[str, object]:
    """Submit a command and return the answer, of the task or the problem."""
    body = {"function": f"commands.{name}", "kwargs": arguments}
    answer = server.http.post("/api/v1/tasks", params={"wait": 20}, json=body).json()
    assert isinstance(answer, dict)
    return answer


def test_a_command_is_called_like_a_function(server: Served, tmp_path: Path) -> None:
    text = tmp_path / "two words.txt"
    text.write_text("three little words\n")

    task = submit(server, "count_words", path=str(text))

    assert task["state"] == "succeeded"
    assert task["pool"] == "io", "a thread waits for it"
    assert task["result"] == {"exit_code": 0, "stdout": f"3 {text}\n"}
    log = server.http.get(f"/api/v1/tasks/{task['id']}/logs").json()
    assert [line["message"] for line in log["items"]] == [f"3 {text}"]


@pytest.mark.parametrize(
    ("name", "arguments", "detail"),
    [
        ("count_words", {}, "path: missing"),
        ("count_words", {"path": 5}, "path: 5 is not a string"),
        ("count_words", {"path": "a\0"}, 'path: "a\\u0000" is text with a NUL'),
        ("head", {"lines": 0}, "lines: 0 is less than the minimum of 1"),
        ("head", {"path": "-n5"}, "path: the value is text that begins with a dash, which the"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_stored(
    server: Served, name: str, arguments: dict[str, object], detail: str
) -> None:
    problem = submit(server, name, **arguments)

    assert problem["code"] == "bad_arguments"
    assert str(problem["detail"]).startswith(detail)


def test_a_failure_is_recorded_with_its_exit_code_and_last_words(server: Served) -> None:
    task = submit(server, "count_words", path="/no/such/file")

    assert task["state"] == "failed"
    error = task["error"]
    assert isinstance(error, dict)
    assert (error["kind"], error["type"]) == ("exception", "pooldeck.commands.CommandFailed")
    assert error["message"].startswith("wc exited with code 1:\nwc: /no/such/file")


def test_a_command_whose_program_is_missing_is_listed_and_cannot_be_submitted(
    server: Served,
) -> None:
    listed = server.http.get("/api/v1/functions/commands.missing").json()

    assert listed["problem"].startswith('its program "no-such-program" was not found')
    assert submit(server, "missing")["code"] == "invalid_request"


def test_the_page_of_a_command_says_what_it_runs_and_has_a_field_for_each_placeholder(
    server: Served,
) -> None:
    page = server.http.get("/functions/commands.count_words").text

    assert "Count the words of a file." in page
    assert "wc -w -- &#39;{path}&#39;" in page
    assert 'name="arg.path"' in page
    assert "The file." in page


def running(server: Served, function: str, *args: object) -> str:
    """Submit a task and return its id as soon as it runs."""
    body = {"function": function, "args": args}
    task: str = server.http.post("/api/v1/tasks", json=body).json()["id"]
    task_in(server, task, "running")
    return task


def test_a_killed_command_is_cancelled_though_a_thread_waited_for_it(server: Served) -> None:
    task = running(server, "commands.wait", 600)

    answer = server.http.post(f"/api/v1/tasks/{task}/cancel", json={"kill": True}).json()

    assert answer["outcome"] == "killed"
    ended = server.http.get(f"/api/v1/tasks/{task}", params={"wait": 20}).json()
    assert (ended["state"], ended["error"]) == ("cancelled", None)


KILLS = {
    Ending.WORKER_ENDED: (
        "Kill task",
        "Its worker process is ended at once",
        "It was killed: its worker process was ended",
        "cancelled",
    ),
    Ending.COMMAND_ENDED: (
        "Kill command",
        "Its command is told to end, and killed",
        "It was killed: its command was made to end",
        "cancelled",
    ),
    Ending.ABANDONED: (
        "Abandon task",
        "It runs in a thread, which cannot be ended",
        "It was abandoned",
        "failed",
    ),
}
"""What pages say of a kill: the button, the question, the answer; and what becomes of the task."""


@pytest.mark.parametrize(
    ("function", "args", "ending"),
    [
        ("web_functions.block", (), Ending.WORKER_ENDED),
        ("web_functions.wait_in_a_thread", (), Ending.ABANDONED),
        ("commands.wait", (600,), Ending.COMMAND_ENDED),
        ("commands.wait_alone", (600,), Ending.WORKER_ENDED),
    ],
)
def test_what_is_said_of_a_kill_before_and_after_is_what_happens(
    server: Served, function: str, args: tuple[int, ...], ending: Ending
) -> None:
    button, asked, said, state = KILLS[ending]
    task = running(server, function, *args)

    assert f">{button}</a>" in server.http.get(f"/tasks/{task}").text
    question = server.http.get(f"/tasks/{task}/kill").text
    assert f'id="confirm">{button}</button>' in question
    assert asked in question
    assert f"The task then counts as {state}" in question
    answer = server.http.post(f"/tasks/{task}/kill", follow_redirects=True)
    assert said in answer.text
    assert task_in(server, task, state)["id"] == task
    assert "there is nothing to kill" in server.http.get(f"/tasks/{task}/kill").text
    by_hand = "Abandoned by hand" if ending is Ending.ABANDONED else "Killed by hand"
    assert by_hand in server.http.get(f"/tasks/{task}").text


def test_the_api_says_how_what_runs_would_end(server: Served) -> None:
    task = running(server, "commands.wait", 600)

    slots = server.http.get("/api/v1/pools/io").json()["workers"][0]["slots"]
    assert {slot["if_killed"] for slot in slots if slot["task"] == task} == {"command_ended"}
    assert server.http.post(f"/api/v1/tasks/{task}/cancel").status_code == 200

"""Tasks find the server that they run in, and are let in as what they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck.inherited import TOKEN, URL
from tests.support.served import Served, served

OWN = "a-token-of-the-tests-long-enough"
ADD = {"function": "web_functions.add", "args": [1, 2]}
COMMANDS = {
    "told": {"run": ["sh", "-c", "echo $POOLDECK_URL; echo $POOLDECK_TOKEN"], "result": "stdout"}
}


@pytest.fixture(scope="module", params=["local", "open", "tokens"])
def server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Served]:
    settings: dict[str, Any] = {"access": request.param, "root_path": "/deck", "commands": COMMANDS}
    if request.param == "tokens":
        settings["token"] = OWN
    with served(tmp_path_factory.mktemp("submitting"), **settings) as running:
        running.http.headers["Authorization"] = f"Bearer {OWN}"
        if request.param == "local":
            del running.http.headers["Authorization"]
        yield running


def result(server: Served, function: str, *args: Any) -> Any:
    task = server.submit(function, *args).json()
    assert task["state"] == "succeeded", task
    return task["result"]


def test_a_task_submits_a_task_and_waits_for_it(server: Served) -> None:
    status, task = result(server, "ask_the_server", "POST", "/api/v1/tasks?wait=30", ADD)
    assert (status, task["state"], task["result"]) == (200, "succeeded", 3)


def test_what_a_task_does_is_in_the_log_of_actions_as_the_tasks(server: Served) -> None:
    later = server.submit("add", 1, wait=0, delay=3600).json()["id"]
    status, done = result(server, "ask_the_server", "POST", f"/api/v1/tasks/{later}/cancel", {})
    assert (status, done["outcome"]) == (200, "cancelled")
    [action] = server.http.get("/api/v1/actions", params={"target": later}).json()["items"]
    assert (action["actor"], action["deed"]) == ("tasks", "cancel")


def test_a_task_is_no_admin(server: Served) -> None:
    status, refusal = result(server, "ask_the_server", "GET", "/api/v1/tokens")
    assert (status, refusal["code"]) == (403, "forbidden")
    assert refusal["detail"].startswith("this needs the role admin, and tasks has")


def test_a_task_follows_the_live_stream_until_it_goes(server: Served) -> None:
    _, token = result(server, "told_of_the_server")
    bearer = {"Authorization": f"Bearer {token}"}
    with server.http.stream("GET", "/api/v1/events", headers=bearer) as stream:
        parts = stream.iter_bytes()
        while b"event: deck" not in next(parts):
            pass
        server.submit("add", 1)
        while b"event: deck" not in next(parts):  # it goes on
            pass


def test_a_program_is_told_what_a_function_is(server: Served) -> None:
    url, token = result(server, "told_of_the_server")
    assert url == f"http://127.0.0.1:{server.port}/deck"
    assert token
    assert token != OWN
    body = {"function": "commands.told"}
    task = server.http.post("/api/v1/tasks", params={"wait": 30}, json=body).json()
    assert task["result"]["stdout"].split() == [url, token]


def test_tasks_are_told_nothing_where_the_operator_does_not_want_it(tmp_path: Path) -> None:
    with served(tmp_path, tasks_may_submit=False) as silent:
        assert result(silent, "told_of_the_server") == [None, None]


def test_a_token_goes_to_no_server_that_the_operator_has_named_for_the_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, "https://deck.example")
    monkeypatch.setenv(TOKEN, "of-the-operator-of-another-server")
    with served(tmp_path, token=OWN) as server:
        server.http.headers["Authorization"] = f"Bearer {OWN}"
        assert result(server, "told_of_the_server") == ["https://deck.example", None]

"""Cancelling and retrying over HTTP: one task, and all that are meant."""

import uuid
from typing import Any

import httpx
import pytest

from tests.support.served import Served
from tests.support.watching import task_in, until


def running(server: Served, function: str) -> str:
    """Submit a task and return its id as soon as it runs."""
    task_id: str = server.submit(function, wait=0).json()["id"]
    task_in(server, task_id, "running")
    return task_id


def cancel(server: Served, task_id: str, **body: Any) -> dict[str, Any]:
    response = server.http.post(f"/api/v1/tasks/{task_id}/cancel", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


# One.


def test_a_waiting_task_can_be_cancelled_once(server: Served) -> None:
    task = server.submit("echo", 1, wait=0, delay=3600).json()
    first = cancel(server, task["id"], kill=False)
    assert (first["outcome"], first["task"]["state"]) == ("cancelled", "cancelled")
    assert cancel(server, task["id"], kill=True)["outcome"] == "already_ended"


def test_a_cancellation_needs_no_body(server: Served) -> None:
    task = server.submit("echo", 1, wait=0, delay=3600).json()
    response = server.http.post(f"/api/v1/tasks/{task['id']}/cancel")
    assert (response.status_code, response.json()["outcome"]) == (200, "cancelled")


def test_a_running_task_is_asked_and_ends_itself(server: Served) -> None:
    task_id = running(server, "patient")
    assert cancel(server, task_id)["outcome"] == "cancel_requested"
    assert task_in(server, task_id, "cancelled")["error"] is None


def test_a_task_in_a_process_is_killed_on_request(server: Served) -> None:
    task_id = running(server, "block")
    assert cancel(server, task_id, kill=True)["outcome"] == "killed"
    assert task_in(server, task_id, "cancelled")["error"] is None
    assert server.http.get("/api/v1/incidents", params={"pool": "solo"}).json()["items"] == []


def test_a_task_in_a_thread_is_abandoned_and_not_called_cancelled(server: Served) -> None:
    task_id = running(server, "wait_in_a_thread")
    assert cancel(server, task_id, kill=True)["outcome"] == "abandoned"
    assert task_in(server, task_id, "failed")["error"]["kind"] == "abandoned"


def test_a_final_task_is_run_again_as_a_new_attempt(server: Served) -> None:
    task = server.submit("fail", "once more").json()
    response = server.http.post(f"/api/v1/tasks/{task['id']}/retry")
    assert response.status_code == 200
    assert (response.json()["id"], response.json()["error"]) == (task["id"], None)
    again = server.http.get(f"/api/v1/tasks/{task['id']}", params={"wait": 20}).json()
    assert (again["state"], again["attempt"]) == ("failed", 2)
    attempts = server.http.get(f"/api/v1/tasks/{task['id']}/attempts").json()["items"]
    assert [each["error"]["message"] for each in attempts] == ["once more"] * 2


def test_what_has_not_ended_is_not_run_again(server: Served) -> None:
    task = server.submit("echo", 1, wait=0, delay=3600).json()
    _expect(server.http.post(f"/api/v1/tasks/{task['id']}/retry"), 409, "conflict")


def test_erased_arguments_cannot_be_run_again(server: Served) -> None:
    task = server.submit("log_in", "me", "hunter2").json()
    _expect(server.http.post(f"/api/v1/tasks/{task['id']}/retry"), 409, "arguments_erased")


@pytest.mark.parametrize("call", ["cancel", "retry"])
def test_what_does_not_exist_cannot_be_changed(server: Served, call: str) -> None:
    _expect(server.http.post(f"/api/v1/tasks/{uuid.uuid4()}/{call}"), 404, "not_found")


def test_a_running_task_shows_where_it_is(server: Served) -> None:
    task_id = running(server, "wait_in_a_thread")

    def inside() -> dict[str, Any] | None:
        found: dict[str, Any] = server.http.get(f"/api/v1/tasks/{task_id}/stack").json()
        return found if found["text"] else None

    stack = until(inside)  # a task counts as running a moment before it is in its function
    assert (stack["task"], stack["detail"]) == (task_id, None)
    assert stack["worker"]["id"].startswith("io-")
    assert "in wait_in_a_thread" in stack["text"]
    assert cancel(server, task_id, kill=True)["outcome"] == "abandoned"


def test_only_what_runs_has_a_stack(server: Served) -> None:
    task = server.submit("add", 1).json()
    _expect(server.http.get(f"/api/v1/tasks/{task['id']}/stack"), 409, "conflict")


# Many.


def batch(server: Served, count: int, **options: Any) -> str:
    """Submit tasks under a tag of their own, and return the tag."""
    mark = uuid.uuid4().hex
    items = [
        {"function": "web_functions.echo", "args": [n], "tags": [mark], **options}
        for n in range(count)
    ]
    assert server.http.post("/api/v1/tasks/batch", json={"tasks": items}).status_code == 202
    return mark


def test_all_that_match_are_cancelled_and_counted(server: Served) -> None:
    mark = batch(server, 5, delay=3600)
    other = server.submit("echo", 1, wait=0, delay=3600).json()["id"]
    response = server.http.post("/api/v1/tasks/cancel", json={"filter": {"tag": [mark]}})
    assert response.status_code == 200
    assert response.json() == {"matched": 5, "outcomes": {"cancelled": 5}}
    listed = server.http.get("/api/v1/tasks", params={"tag": mark, "state": "cancelled"})
    assert len(listed.json()["items"]) == 5
    assert server.http.get(f"/api/v1/tasks/{other}").json()["state"] == "scheduled"
    again = server.http.post("/api/v1/tasks/cancel", json={"filter": {"tag": [mark]}})
    assert again.json() == {"matched": 0, "outcomes": {}}


def test_all_that_match_are_run_again_and_counted(server: Served) -> None:
    mark = uuid.uuid4().hex
    ids = [server.submit("fail", "x", tags=[mark]).json()["id"] for _ in range(3)]
    server.submit("add", 1, tags=[mark])
    body = {"filter": {"tag": [mark], "state": ["failed", "lost"]}}
    response = server.http.post("/api/v1/tasks/retry", json=body)
    assert response.json() == {"matched": 3, "outcomes": {"retried": 3}}
    for task_id in ids:
        task = server.http.get(f"/api/v1/tasks/{task_id}", params={"wait": 20}).json()
        assert (task["state"], task["attempt"]) == ("failed", 2)


def test_tasks_can_be_named_and_each_is_answered_for(server: Served) -> None:
    waiting = server.submit("echo", 1, wait=0, delay=3600).json()["id"]
    ended = server.submit("echo", 1).json()["id"]
    body = {"ids": [waiting, ended, str(uuid.uuid4())]}
    assert server.http.post("/api/v1/tasks/cancel", json=body).json() == {
        "matched": 3,
        "outcomes": {"cancelled": 1, "already_ended": 1, "not_found": 1},
    }


def test_many_are_killed_where_it_is_asked_for(server: Served) -> None:
    task_id = running(server, "block")
    body = {"filter": {"function": ["web_functions.block"]}, "kill": True}
    outcomes = server.http.post("/api/v1/tasks/cancel", json=body).json()["outcomes"]
    assert outcomes["killed"] == 1
    assert task_in(server, task_id, "cancelled")["error"] is None


@pytest.mark.parametrize("call", ["cancel", "retry"])
def test_nobody_means_all_by_mistake(server: Served, call: str) -> None:
    url = f"/api/v1/tasks/{call}"
    _expect(server.http.post(url, json={}), 422, "invalid_request")
    _expect(server.http.post(url, json={"filter": {}}), 422, "invalid_request")
    _expect(server.http.post(url), 415, "unsupported_media_type")


def _expect(response: httpx.Response, status: int, code: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)

"""Changing what has not started, over HTTP: with real workers, against the claims of queues."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.support.served import Served
from tests.support.watching import task_in, until

_LATER = {"wait": 0, "delay": 3600}


def edit(server: Served, task_id: str, **body: Any) -> httpx.Response:
    return server.http.patch(f"/api/v1/tasks/{task_id}", json=body)


def edited(server: Served, task_id: str, **body: Any) -> dict[str, Any]:
    response = edit(server, task_id, **body)
    assert response.status_code == 200, response.text
    task: dict[str, Any] = response.json()
    return task


def refused(server: Served, task_id: str, status: int, code: str, **body: Any) -> str:
    response = edit(server, task_id, **body)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    detail: str = response.json()["detail"]
    return detail


def scheduled(server: Served, function: str = "echo", *args: Any, **more: Any) -> str:
    task_id: str = server.submit(function, *args, **_LATER, **more).json()["id"]
    return task_id


def pause(server: Served, pool: str, *, paused: bool) -> None:
    answer = server.http.patch(f"/api/v1/pools/{pool}", json={"paused": paused})
    assert answer.status_code == 200, answer.text


def ended(server: Served, task_id: str) -> dict[str, Any]:
    task: dict[str, Any] = server.http.get(f"/api/v1/tasks/{task_id}", params={"wait": 20}).json()
    return task


# What runs.


def test_the_answer_to_a_change_is_what_runs_while_slots_free_up(server: Served) -> None:
    tasks = [{"function": "web_functions.echo", "args": ["old"]} for _ in range(300)]
    ids = server.http.post("/api/v1/tasks/batch", json={"tasks": tasks}).json()["ids"]
    answers = {each: edit(server, each, args=["new"]).status_code for each in reversed(ids)}
    assert set(answers.values()) <= {200, 409}
    for task_id, status in answers.items():
        task = task_in(server, task_id, "succeeded")
        expected = ("new", ["new"]) if status == 200 else ("old", ["old"])
        assert (task["result"], task["args"], task["attempt"]) == (*expected, 1)
    assert 200 in answers.values()


def test_many_changes_of_one_task_end_in_the_last_that_was_accepted(server: Served) -> None:
    for _ in range(15):
        task_id = server.submit("echo", -1, wait=0, delay=0.02).json()["id"]
        accepted = -1
        for number in range(20):
            if edit(server, task_id, args=[number]).status_code != 200:
                break
            accepted = number
        assert task_in(server, task_id, "succeeded")["result"] == accepted


def test_a_raised_priority_goes_before_what_was_submitted_earlier(server: Served) -> None:
    pause(server, "cpu", paused=True)
    try:
        ids = [server.submit("echo", n, wait=0).json()["id"] for n in range(4)]
        assert edited(server, ids[3], priority=50)["priority"] == 50
        assert edited(server, ids[0], priority=-50)["priority"] == -50
    finally:
        pause(server, "cpu", paused=False)
    started = {each: task_in(server, each, "succeeded")["started_at"] for each in ids}
    assert sorted(ids, key=lambda each: started[each]) == [ids[3], ids[1], ids[2], ids[0]]


def test_a_queued_task_moves_to_another_pool_and_runs_there(server: Served) -> None:
    pause(server, "cpu", paused=True)
    try:
        task_id = server.submit("roam", 7, wait=0).json()["id"]
        assert edited(server, task_id, pool="io")["pool"] == "io"
        done = task_in(server, task_id, "succeeded")
        assert (done["pool"], done["result"]) == ("io", 7)
        assert done["worker"]["id"].startswith("io-")
    finally:
        pause(server, "cpu", paused=False)
    for pool in server.http.get("/api/v1/pools").json()["items"]:
        assert pool["queued"] == 0, pool


def test_run_now_lets_a_scheduled_task_run(server: Served) -> None:
    task_id = scheduled(server, "echo", 1)
    assert edited(server, task_id, run_at=None)["state"] in {"queued", "running", "succeeded"}
    done = task_in(server, task_id, "succeeded")
    assert done["timing"]["queued"] < 3600
    assert "ended" in refused(server, task_id, 409, "conflict", run_at=None)


def test_run_now_ends_the_pause_before_a_retry(server: Served) -> None:
    task_id = server.submit("fail", "again", wait=0, retries=20).json()["id"]

    def long_pause() -> dict[str, Any] | None:  # they double: the third is long enough to be met
        task: dict[str, Any] = server.http.get(f"/api/v1/tasks/{task_id}").json()
        return task if task["state"] == "scheduled" and task["attempt"] >= 3 else None

    task = until(long_pause)
    edited(server, task_id, run_at=None)

    def begun() -> list[dict[str, Any]]:
        found = server.http.get(f"/api/v1/tasks/{task_id}/attempts").json()["items"]
        return [each for each in found[task["attempt"] :] if each["started_at"]]

    assert until(begun)[0]["started_at"] < task["run_at"]
    server.http.post(f"/api/v1/tasks/{task_id}/cancel")


def test_a_queued_task_can_be_put_off(server: Served) -> None:
    pause(server, "cpu", paused=True)
    try:
        task_id = server.submit("echo", 1, wait=0).json()["id"]
        at = datetime.now(UTC) + timedelta(hours=2)
        task = edited(server, task_id, run_at=at.isoformat())
        assert task["state"] == "scheduled"
    finally:
        pause(server, "cpu", paused=False)
    assert server.submit("echo", 2).json()["state"] == "succeeded"  # in whose turn it was not taken
    assert edited(server, task_id, delay=7200)["state"] == "scheduled"


# What a change means for the rest.


def test_a_key_goes_on_meaning_what_was_submitted_under_it(server: Served) -> None:
    body = {"function": "web_functions.echo", "args": ["first"], "delay": 3600}
    headers = {"Idempotency-Key": "edited"}
    task_id = server.http.post("/api/v1/tasks", json=body, headers=headers).json()["id"]
    edited(server, task_id, args=["second"])
    again = server.http.post("/api/v1/tasks", json=body, headers=headers).json()
    assert (again["id"], again["args"]) == (task_id, ["second"])
    other = server.http.post("/api/v1/tasks", json=body | {"args": ["second"]}, headers=headers)
    assert other.json()["code"] == "idempotency_mismatch"


def test_a_batch_key_goes_on_meaning_what_was_submitted_under_it(server: Served) -> None:
    tasks = [{"function": "web_functions.echo", "args": ["first"], "delay": 3600}]
    headers = {"Idempotency-Key": "edited-batch"}

    def send(body: list[dict[str, Any]]) -> dict[str, Any]:
        answer = server.http.post("/api/v1/tasks/batch", json={"tasks": body}, headers=headers)
        found: dict[str, Any] = answer.json()
        return found

    ids = send(tasks)["ids"]
    edited(server, ids[0], args=["second"], pool="io")
    assert send(tasks)["ids"] == ids
    assert send([tasks[0] | {"args": ["second"]}])["code"] == "idempotency_mismatch"


def test_sensitive_arguments_are_never_shown_after_a_change(server: Served) -> None:
    task_id = scheduled(server, "log_in", "me", "hunter2")
    answer = edit(server, task_id, args=["you", "hunter3"])
    assert answer.json()["args"] == ["you", "[redacted]"]
    actions = server.http.get("/api/v1/actions", params={"target": task_id}).text
    assert "hunter" not in answer.text + actions
    assert "stands for" in refused(
        server, task_id, 422, "bad_arguments", args=["you", "[redacted]"]
    )
    edited(server, task_id, run_at=None)
    assert "hunter" not in str(task_in(server, task_id, "succeeded")["args"])


def test_a_search_finds_the_arguments_that_a_task_has_by_now(server: Served) -> None:
    task_id = scheduled(server, "echo", "quillwort")
    edited(server, task_id, args=["bogmyrtle"])

    def found(text: str) -> list[str]:
        items = server.http.get("/api/v1/tasks", params={"q": text}).json()["items"]
        return [each["id"] for each in items]

    assert (found("quillwort"), found("bogmyrtle")) == ([], [task_id])


def test_who_changed_what_is_in_the_log_of_actions(server: Served) -> None:
    task_id = scheduled(server, "add", 1, 2)
    edited(server, task_id, priority=9, pool="io", args=[1, 3], run_at=None, reason="by hand")
    (action,) = server.http.get("/api/v1/actions", params={"target": task_id}).json()["items"]
    assert (action["deed"], action["reason"]) == ("edit", "by hand")
    assert (action["before"]["priority"], action["before"]["pool"]) == (0, "cpu")
    assert action["after"] == {
        "priority": 9,
        "pool": "io",
        "run_at": "at_once",
        "arguments": ["b"],
    }


def test_a_change_to_what_it_is_already_is_no_deed(server: Served) -> None:
    task_id = scheduled(server, "echo", 1)
    edited(server, task_id, priority=0, args=[1], pool="cpu")
    assert server.http.get("/api/v1/actions", params={"target": task_id}).json()["items"] == []


# What is refused.


def test_what_runs_or_has_ended_is_not_changed(server: Served) -> None:
    task_id = server.submit("block", wait=0).json()["id"]
    task_in(server, task_id, "running")
    assert "runs already" in refused(server, task_id, 409, "conflict", priority=1)
    server.http.post(f"/api/v1/tasks/{task_id}/cancel", json={"kill": True})
    task_in(server, task_id, "cancelled")
    assert "has ended" in refused(server, task_id, 409, "conflict", priority=1)


def test_a_change_is_checked_as_a_submission_is(server: Served) -> None:
    task_id = scheduled(server, "add", 1)
    refused(server, task_id, 422, "bad_arguments", args=["a word"])
    refused(server, task_id, 422, "bad_arguments", kwargs={"c": 1})
    refused(server, task_id, 422, "unknown_pool", pool="nowhere")
    refused(server, task_id, 422, "invalid_request", priority=101)
    refused(server, task_id, 422, "invalid_request", priority=None)
    refused(server, task_id, 422, "invalid_request", args={"a": 1})
    refused(server, task_id, 422, "invalid_request", run_at=None, delay=1)
    refused(server, task_id, 422, "invalid_request", timeout=1)
    refused(server, task_id, 422, "invalid_request", reason="nothing")
    refused(server, task_id, 422, "invalid_request", args=[{"$result": task_id}])
    refused(server, "019ad5a2-3c10-7b4e-9f8e-2d64a7c0ffee", 404, "not_found", priority=1)
    task = server.http.get(f"/api/v1/tasks/{task_id}").json()
    assert (task["args"], task["pool"], task["state"]) == ([1], "cpu", "scheduled")


def test_a_task_that_waits_for_another_keeps_to_the_results_that_it_waits_for(
    server: Served,
) -> None:
    first = scheduled(server, "echo", 40)
    after = server.submit("add", {"$result": first}, 1, wait=0).json()["id"]
    assert "comes after" in refused(server, after, 409, "conflict", run_at=None)
    other = scheduled(server, "echo", 1)
    refused(server, after, 422, "invalid_request", args=[{"$result": other}, 2])
    edited(server, after, args=[{"$result": first}, 2], priority=5)
    edited(server, first, run_at=None)
    assert task_in(server, after, "succeeded")["result"] == 42


def test_changes_while_the_task_before_ends_are_what_runs(server: Served) -> None:
    for _ in range(15):
        first = server.submit("echo", 40, wait=0, delay=0.02).json()["id"]
        after = server.submit("add", {"$result": first}, 0, wait=0).json()["id"]
        accepted = 0
        for number in range(1, 30):
            if edit(server, after, kwargs={}, args=[40, number]).status_code != 200:
                break
            accepted = number
        assert task_in(server, after, "succeeded")["result"] == 40 + accepted

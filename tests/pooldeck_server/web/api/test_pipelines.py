"""Pipelines and tasks that come after others, over HTTP."""

from typing import Any

from tests.support.served import Served

NAME = "web_functions"


def _result(name: str) -> dict[str, str]:
    return {"$result": name}


def _step(function: str, *args: Any, **more: Any) -> dict[str, Any]:
    return {"function": f"{NAME}.{function}", "args": list(args)} | more


def _sent(server: Served, tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Submit a pipeline; return what the server says."""
    answer = server.http.post("/api/v1/pipelines", json={"tasks": tasks} | more)
    assert answer.status_code == 202, answer.text
    sent: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/pipelines/{sent['id']}"
    return sent


def _ended(server: Served, task: str) -> dict[str, Any]:
    """Return a task when it has ended."""
    found: dict[str, Any] = server.http.get(f"/api/v1/tasks/{task}", params={"wait": 20}).json()
    return found


def test_a_pipeline_is_told_with_its_steps_its_tasks_and_what_became_of_them(
    server: Served,
) -> None:
    steps = {
        "list": _step("echo", [1, 2, 3]),
        "each": _step("add", {"$item": True}, each=_result("list")),
        "join": _step("echo", _result("each"), after=[{"task": "list", "on_failure": "go_on"}]),
    }
    sent = _sent(server, steps, name="three sums")
    joined = _ended(server, sent["tasks"]["join"][0])
    assert joined["result"] == [3, 4, 5]
    assert (joined["args"], joined["given"]["args"]) == ([[3, 4, 5]], [_result("each")])
    assert joined["pipeline"] == {"id": sent["id"], "step": "join", "item": None}
    assert len(joined["after"]) == 4

    found = server.http.get(f"/api/v1/pipelines/{sent['id']}").json()
    assert (found["name"], found["state"]) == ("three sums", "succeeded")
    assert found["counts"] == {"succeeded": 5}
    assert [step["name"] for step in found["steps"]] == ["list", "each", "join"]
    assert found["steps"][1]["each"]
    assert found["steps"][2]["after"] == [
        {"step": "list", "on_failure": "go_on"},
        {"step": "each", "on_failure": "stop"},
    ]
    listed = server.http.get("/api/v1/tasks", params={"pipeline": sent["id"]}).json()["items"]
    assert {task["pipeline"]["step"] for task in listed} == set(steps)
    items = [task["pipeline"]["item"] for task in listed if task["pipeline"]["step"] == "each"]
    assert sorted(items) == [0, 1, 2]


def test_the_same_key_gives_the_same_pipeline(server: Served) -> None:
    def send(number: int) -> Any:
        body = {"tasks": {"a": _step("add", number), "b": _step("add", _result("a"))}}
        headers = {"Idempotency-Key": "a pipeline's"}
        return server.http.post("/api/v1/pipelines", json=body, headers=headers)

    first = send(1).json()
    again = send(1)
    assert (again.status_code, again.json()) == (202, first)
    other = send(2)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_pipelines_are_listed_newest_first_a_page_at_a_time(server: Served) -> None:
    ids = [_sent(server, {"only": _step("add", 1)})["id"] for _ in range(3)]
    first = server.http.get("/api/v1/pipelines", params={"limit": 2}).json()
    assert [each["id"] for each in first["items"]] == ids[:0:-1]
    second = server.http.get(
        "/api/v1/pipelines", params={"limit": 2, "cursor": first["next_cursor"]}
    ).json()
    assert second["items"][0]["id"] == ids[0]


def test_a_pipeline_is_cancelled_as_a_whole(server: Served) -> None:
    sent = _sent(server, {"a": _step("add", 1, delay=600), "b": _step("add", _result("a"))})
    done = server.http.post(f"/api/v1/pipelines/{sent['id']}/cancel")
    assert done.json() == {"matched": 2, "outcomes": {"cancelled": 2}}
    assert server.http.get(f"/api/v1/pipelines/{sent['id']}").json()["state"] == "cancelled"
    assert server.http.get("/api/v1/pipelines/none").status_code == 404
    assert server.http.post("/api/v1/pipelines/none/cancel").status_code == 404


def test_a_refusal_names_the_step_and_points_to_it(server: Served) -> None:
    for steps, code, pointer in (
        ({"a": _step("add", _result("a"))}, "invalid_request", "/tasks/a"),
        ({"a/b": _step("add", _result("c"))}, "invalid_request", "/tasks/a~1b"),
        ({"a": _step("add", "x")}, "bad_arguments", "/tasks/a"),
        ({"a": _step("add", 1, each=5)}, "invalid_request", "/tasks/a/each"),
        ({"a": _step("add", 1, pool="sea")}, "unknown_pool", "/tasks/a/pool"),
        ({"a": {"args": []}}, "invalid_request", "/tasks"),
        ({}, "invalid_request", "/tasks"),
    ):
        answer = server.http.post("/api/v1/pipelines", json={"tasks": steps})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code), problem
        assert problem["field"].startswith(pointer), problem


def test_a_task_after_one_that_failed_says_which_had_it_cancelled(server: Served) -> None:
    failed = server.submit("fail", "broken").json()
    stopped = server.submit("echo", 1, after=[failed["id"]]).json()
    assert (stopped["state"], stopped["error"]) == ("cancelled", None)
    assert (stopped["after"], stopped["stopped_by"]) == ([failed["id"]], failed["id"])
    answer = server.http.post(f"/api/v1/tasks/{stopped['id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert failed["id"] in answer.json()["detail"]


def test_a_task_shows_what_it_waits_for_from_the_first_answer_on(server: Served) -> None:
    first = server.submit("add", 1, wait=0, delay=600).json()
    second = server.submit("add", _result(first["id"]), wait=0).json()
    assert (second["state"], second["run_at"]) == ("scheduled", None)
    assert second["after"] == [first["id"]]
    read = server.http.get(f"/api/v1/tasks/{second['id']}").json()
    assert read["waiting"]["reason"] == "waits_for_tasks"
    assert second == read | {"waiting": None}  # which an answer to a submission does not tell
    batch = {"tasks": [_step("add", 1), _step("add", 1, after=["nothing"])]}
    problem = server.http.post("/api/v1/tasks/batch", json=batch).json()
    assert (problem["code"], problem["index"]) == ("invalid_request", 1)
    server.http.post(f"/api/v1/tasks/{first['id']}/cancel")
    assert _ended(server, second["id"])["state"] == "cancelled"

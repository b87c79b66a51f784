"""Submitting, finding and following tasks over HTTP."""

import re
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.served import Served

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_a_task_that_ended_within_the_wait_comes_back_whole(server: Served) -> None:
    response = server.submit("add", 40, tags=["one", "two"], priority=7)
    assert response.status_code == 200
    task = response.json()
    assert response.headers["location"] == f"/api/v1/tasks/{task['id']}"
    assert uuid.UUID(task["id"]).version == 7
    assert (task["state"], task["future"], task["result"]) == ("succeeded", "FINISHED", 42)
    assert (task["args"], task["kwargs"], task["error"]) == ([40], {}, None)
    assert (task["attempt"], task["priority"], task["tags"]) == (1, 7, ["one", "two"])
    assert task["pool"] == "cpu"
    assert task["worker"]["id"].startswith("cpu-")
    assert task["worker"]["pid"] > 0
    assert task["timing"]["run"] >= 0
    for name in ("created_at", "started_at", "finished_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", task[name])
    assert server.http.get(response.headers["location"]).json() == task


def test_without_a_wait_a_submission_is_accepted(server: Served) -> None:
    response = server.submit("block", wait=0)
    assert response.status_code == 202
    assert response.json()["state"] == "queued"
    assert response.json()["attempt"] == 0
    assert response.json()["future"] == "PENDING"
    server.http.post(f"{response.headers['location']}/cancel", json={"kill": True})


def test_a_failed_task_is_an_answer_not_an_error(server: Served) -> None:
    response = server.submit("fail", "broken")
    assert response.status_code == 200
    task = response.json()
    assert (task["state"], task["result"]) == ("failed", None)
    assert task["error"]["kind"] == "exception"
    assert (task["error"]["type"], task["error"]["message"]) == ("ValueError", "broken")
    assert "raise ValueError(message)" in task["error"]["traceback"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=JSON)
def test_what_is_accepted_comes_back_exactly(server: Served, value: Any) -> None:
    task = server.submit("echo", value).json()
    assert task["args"] == [value]
    assert task["result"] == value
    assert type(task["result"]) is type(value)


def test_arguments_are_kept_as_they_were_written(server: Served) -> None:
    body = b'{"function": "web_functions.echo", "args": [[1.10e2, 12345678901234567890123]]}'
    response = server.http.post(
        "/api/v1/tasks", content=body, headers={"content-type": "application/json"}
    )
    stored = server.http.get(response.headers["location"]).text
    assert "1.10e2" in stored
    assert "12345678901234567890123" in stored


def test_sensitive_arguments_are_never_shown(server: Served) -> None:
    response = server.submit("log_in", "me", "hunter2")
    assert response.json()["result"] == "me7"
    assert response.json()["args"] == ["me", "[redacted]"]
    wrong = server.submit("log_in", "me", 987654321)
    assert wrong.status_code == 422
    assert "987654321" not in wrong.text


@pytest.mark.parametrize(
    ("body", "status", "code", "member"),
    [
        ({"function": "web_functions.adds"}, 422, "unknown_function", ("function", "adds")),
        ({"function": "web_functions.add"}, 422, "bad_arguments", ("argument", "a")),
        ({"function": "web_functions.add", "args": ["x"]}, 422, "bad_arguments", ("argument", "a")),
        (
            {"function": "web_functions.add", "args": [1], "kwargs": {"c": 1}},
            422,
            "bad_arguments",
            ("argument", "c"),
        ),
        (
            {"function": "web_functions.add", "args": [1], "pool": "sea"},
            422,
            "unknown_pool",
            ("field", "/pool"),
        ),
        ({"function": "web_functions.stray"}, 422, "unknown_pool", ("detail", "nowhere")),
        (
            {"function": "web_functions.add", "args": [1], "after": ["x"]},
            422,
            "invalid_request",
            ("field", "/after"),
        ),
        (
            {"function": "web_functions.add", "args": [1], "timeout": 0},
            422,
            "invalid_request",
            ("field", "/timeout"),
        ),
        ({"args": [1]}, 422, "invalid_request", ("field", "/function")),
    ],
)
def test_a_refusal_says_what_was_wrong(
    server: Served, body: dict[str, Any], status: int, code: str, member: tuple[str, str]
) -> None:
    response = server.http.post("/api/v1/tasks", json=body)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert member[1] in problem[member[0]]


def test_the_same_key_gives_the_same_task(server: Served) -> None:
    body = {"function": "web_functions.add", "args": [1]}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = server.http.post("/api/v1/tasks", json=body, headers=key).json()
    again = server.http.post("/api/v1/tasks", json=body, headers=key).json()
    assert again["id"] == first["id"]
    other = server.http.post("/api/v1/tasks", json=body | {"args": [2]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\tinside"])
def test_a_key_has_bounds(server: Served, key: str) -> None:
    body = {"function": "web_functions.add", "args": [1]}
    response = server.http.post("/api/v1/tasks", json=body, headers={"Idempotency-Key": key})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_two_keys_are_refused(server: Served) -> None:
    body = {"function": "web_functions.add", "args": [1]}
    keys = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    response = server.http.post("/api/v1/tasks", json=body, headers=keys)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert "idempotency-key stands twice" in response.json()["detail"]


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "soon", ""])
def test_a_wait_has_bounds(server: Served, wait: str) -> None:
    body = {"function": "web_functions.add", "args": [1]}
    posted = server.http.post("/api/v1/tasks", json=body, params={"wait": wait})
    got = server.http.get("/api/v1/tasks/x", params={"wait": wait})
    assert (posted.status_code, got.status_code) == (422, 422)
    assert posted.json()["parameter"] == got.json()["parameter"] == "wait"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ('Application/JSON; charset="UTF-8"', 202),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_only_json_is_taken(server: Served, content_type: str, status: int) -> None:
    body = b'{"function": "web_functions.add", "args": [1]}'
    headers = {"content-type": content_type}
    assert server.http.post("/api/v1/tasks", content=body, headers=headers).status_code == status


def test_a_packed_body_is_refused(server: Served) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = server.http.post("/api/v1/tasks", content=b"\x1f\x8b", headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_batch_is_stored_in_order(server: Served) -> None:
    items = [{"function": "web_functions.echo", "args": [n], "tags": ["lot"]} for n in range(5)]
    response = server.http.post("/api/v1/tasks/batch", json={"tasks": items})
    assert response.status_code == 202
    ids = response.json()["ids"]
    assert ids == sorted(ids)
    results = [
        server.http.get(f"/api/v1/tasks/{each}", params={"wait": 20}).json()["result"]
        for each in ids
    ]
    assert results == [0, 1, 2, 3, 4]


def test_a_batch_with_one_wrong_task_stores_none(server: Served) -> None:
    good = {"function": "web_functions.echo", "args": [1], "tags": ["never stored"]}
    bad = {"function": "web_functions.add", "args": ["x"]}
    response = server.http.post("/api/v1/tasks/batch", json={"tasks": [good, bad]})
    assert response.status_code == 422
    assert (response.json()["code"], response.json()["index"]) == ("bad_arguments", 1)
    listed = server.http.get("/api/v1/tasks", params={"tag": "never stored"})
    assert listed.json()["items"] == []


def test_a_list_narrows_and_adds_up(server: Served) -> None:
    mark = uuid.uuid4().hex
    ids = {
        "good": server.submit("add", 1, tags=[mark]).json()["id"],
        "bad": server.submit("fail", mark, tags=[mark]).json()["id"],
    }

    def found(**params: Any) -> set[str]:
        response = server.http.get("/api/v1/tasks", params={"tag": mark} | params)
        return {item["id"] for item in response.json()["items"]}

    assert found() == set(ids.values())
    assert found(state="failed") == {ids["bad"]}
    assert found(state=["failed", "succeeded"]) == set(ids.values())
    assert found(state="succeeded", function="web_functions.fail") == set()
    assert found(error="exception") == {ids["bad"]}
    assert found(pool="cpu") == {ids["good"]}
    assert found(q=ids["good"]) == {ids["good"]}
    assert found(since="2000-01-01T00:00:00Z") == set(ids.values())
    assert found(until="2000-01-01T00:00:00Z") == set()


def test_a_list_goes_on_where_the_page_before_ended(server: Served) -> None:
    mark = uuid.uuid4().hex
    items = [{"function": "web_functions.echo", "args": [n], "tags": [mark]} for n in range(5)]
    ids = server.http.post("/api/v1/tasks/batch", json={"tasks": items}).json()["ids"]
    seen, cursor = [], None
    while True:
        params: dict[str, Any] = {"tag": mark, "limit": 2}
        params |= {"cursor": cursor} if cursor else {}
        page = server.http.get("/api/v1/tasks", params=params).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "state=gone",
        "states=failed",
        "error=other",
        "cursor=nonsense",
        "since=yesterday",
        "since=2026-01-01T00:00:00",
    ],
)
def test_a_wrong_filter_is_refused(server: Served, query: str) -> None:
    response = server.http.get(f"/api/v1/tasks?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_the_log_of_a_task_is_read_in_parts(server: Served) -> None:
    task = server.submit("chatter", 5).json()
    assert task["progress"] == {"fraction": 0.5, "message": "half"}
    url = f"/api/v1/tasks/{task['id']}/logs"
    first = server.http.get(url, params={"limit": 3}).json()
    rest = server.http.get(url, params={"after": first["next_after"]}).json()
    lines = first["items"] + rest["items"]
    assert [line["message"] for line in lines] == [f"line {n}" for n in range(5)]
    assert [line["n"] for line in lines] == [1, 2, 3, 4, 5]
    assert rest["next_after"] is None


def test_the_attempts_of_a_task_are_those_that_began(server: Served) -> None:
    done = server.submit("add", 1).json()
    waiting = server.submit("add", 1, wait=0, delay=3600).json()
    attempts = server.http.get(f"/api/v1/tasks/{done['id']}/attempts").json()["items"]
    assert [(each["attempt"], each["state"], each["result"]) for each in attempts] == [
        (1, "succeeded", 3)
    ]
    assert server.http.get(f"/api/v1/tasks/{waiting['id']}/attempts").json() == {"items": []}


def test_each_attempt_keeps_its_own_error_and_log(server: Served) -> None:
    task = server.submit("flaky", 5).json()
    assert (task["state"], task["result"], task["attempt"], task["reruns"]) == (
        "succeeded",
        5,
        2,
        1,
    )
    options: dict[str, Any] = {
        "timeout": None,
        "retries": 1,
        "backoff": 0.01,
        "idempotent": False,
        "needs": {},
    }
    assert task["options"] == options
    url = f"/api/v1/tasks/{task['id']}"
    first, second = server.http.get(f"{url}/attempts").json()["items"]
    assert (first["attempt"], first["state"], first["error"]["message"]) == (1, "failed", "not yet")
    assert (second["attempt"], second["state"], second["result"]) == (2, "succeeded", 5)
    for attempt in (1, 2):
        [line] = server.http.get(f"{url}/logs", params={"attempt": attempt}).json()["items"]
        assert (line["attempt"], line["message"]) == (attempt, f"attempt {attempt}")
    assert server.http.get(f"{url}/logs", params={"attempt": 0}).status_code == 422


def test_a_submission_may_ask_for_other_retries_and_a_timeout(server: Served) -> None:
    task = server.submit("flaky", 5, retries=0, timeout=30).json()
    assert (task["state"], task["attempt"]) == ("failed", 1)
    assert (task["options"]["retries"], task["options"]["timeout"]) == (0, 30)


@pytest.mark.parametrize("part", ["", "/attempts", "/logs", "/stack"])
def test_an_unknown_task_is_not_found(server: Served, part: str) -> None:
    _expect_not_found(server.http.get(f"/api/v1/tasks/{uuid.uuid4()}{part}"))


def _expect_not_found(response: httpx.Response) -> None:
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_batch_that_is_repeated_under_its_key_gives_the_same_ids(server: Served) -> None:
    items = [{"function": "web_functions.echo", "args": [n]} for n in range(5)]
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    def sent(tasks: list[dict[str, Any]]) -> httpx.Response:
        return server.http.post("/api/v1/tasks/batch", json={"tasks": tasks}, headers=headers)

    first, second = sent(items), sent(items)
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    other = sent(items[:-1])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")

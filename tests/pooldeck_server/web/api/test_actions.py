"""The log of actions over HTTP: who did what, from where and why; and nobody changes it."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS
from tests.support.served import Served, served
from tests.support.waiting import eventually

BEARER = {"Authorization": f"Bearer {TOKEN}"}
WRONG = {"Authorization": "Bearer wrong-token-of-the-tests"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a token to which nobody else has shown wrong ones."""
    with served(tmp_path_factory.mktemp("closed"), token=TOKEN) as running:
        yield running


def latest(server: Served, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
    """Return the newest action that fits."""
    answer = server.http.get("/api/v1/actions", params=query | {"limit": 1}, headers=headers)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["items"]
    action: dict[str, Any] = found
    return action


def wrong_tokens(server: Served) -> int:
    """Return how many the log has counted; they are written a moment after the answer."""
    found = server.http.get("/api/v1/actions", params={"deed": "fail_log_in"}, headers=BEARER)
    return sum(each["number"] for each in found.json()["items"])


def test_what_is_done_to_a_task_says_who_from_where_and_why(server: Served) -> None:
    task = server.submit("add", 1, 2, wait=0, delay=3600).json()["id"]
    server.http.post(f"/api/v1/tasks/{task}/cancel", json={"reason": "a mistake"})
    cancelled = latest(server, target=task)
    assert (cancelled["actor"], cancelled["address"]) == ("owner", "127.0.0.1")
    assert (cancelled["deed"], cancelled["reason"]) == ("cancel", "a mistake")
    assert cancelled["before"] == {"state": "scheduled"}
    assert cancelled["after"] == {"state": "cancelled"}
    assert cancelled["href"] == f"/tasks/{task}"

    server.http.post(f"/api/v1/tasks/{task}/retry", json={"reason": "it was none"})
    retried = latest(server, target=task)
    assert (retried["deed"], retried["reason"]) == ("retry", "it was none")
    page = server.http.get(f"/tasks/{task}").text
    assert "retried by owner" in page
    assert "cancelled by owner" in page


def test_many_tasks_are_one_action_that_each_of_them_leads_to(server: Served) -> None:
    tags = ["actions-many"]
    ids = [server.submit("add", 1, 2, wait=0, delay=3600, tags=tags).json()["id"] for _ in range(3)]
    server.http.post("/api/v1/tasks/cancel", json={"filter": {"tag": tags}, "reason": "all"})
    found = [latest(server, target=each) for each in ids]
    assert len({each["id"] for each in found}) == 1
    assert (found[0]["number"], found[0]["target_kind"], found[0]["target"]) == (3, "tasks", None)
    assert found[0]["after"] == {"filter": {"tag": tags}}

    named = server.submit("add", 1, 2, wait=0, delay=3600).json()["id"]
    server.http.post("/api/v1/tasks/cancel", json={"ids": [named]})
    assert latest(server, target=named)["number"] == 1


def test_changes_of_pools_say_what_was_before_and_after(server: Served) -> None:
    server.http.patch("/api/v1/pools/io", json={"size": 3, "reason": "more work"})
    resized = latest(server, target="io", deed="resize")
    assert (resized["before"], resized["after"]) == ({"size": 2}, {"size": 3})
    assert resized["reason"] == "more work"
    server.http.patch("/api/v1/pools/io", json={"size": 2})
    server.http.patch("/api/v1/pools/solo", json={"paused": True})
    server.http.patch("/api/v1/pools/solo", json={"paused": False})
    assert latest(server, target="solo", deed="pause")["after"] == {"state": "paused"}
    assert latest(server, target="solo")["deed"] == "resume"
    server.http.post("/api/v1/pools/solo/restart", json={"reason": "new code"})
    asked = {"target": "solo", "deed": "restart"}

    def reasons() -> list[str]:
        items = server.http.get("/api/v1/actions", params=asked).json()["items"]
        return [each["reason"] for each in items]

    eventually(lambda: reasons() == ["new code"], "the restart is in the log")


def test_what_changes_nothing_is_no_action(server: Served) -> None:
    done = server.submit("add", 1, 2).json()["id"]
    server.http.post(f"/api/v1/tasks/{done}/cancel")
    server.http.post("/api/v1/pools/nowhere/drain")
    for target in (done, "nowhere"):
        answer = server.http.get("/api/v1/actions", params={"target": target})
        assert answer.json() == {"items": [], "next_cursor": None}


def test_logins_and_wrong_tokens_are_in_it(closed: Served) -> None:
    before = wrong_tokens(closed)
    closed.http.get("/api/v1/pools", headers=WRONG)
    eventually(lambda: wrong_tokens(closed) == before + 1, "a wrong token is counted")
    failed = latest(closed, BEARER, deed="fail_log_in")
    assert (failed["actor"], failed["actor_kind"]) == ("", "stranger")
    assert failed["address"] == "127.0.0.1"
    with httpx.Client(base_url=closed.http.base_url, timeout=30, verify=NO_TLS) as browser:
        browser.post("/login", data={"token": TOKEN})
        assert latest(closed, BEARER, deed="log_in")["actor"] == "owner"
        browser.post("/logout")
        assert latest(closed, BEARER, deed="log_out")["actor"] == "owner"
    closed.http.get("/api/v1/pools", headers=WRONG)
    eventually(lambda: wrong_tokens(closed) == before + 2, "another is counted")


def test_who_asks_next_on_the_same_connection_is_not_who_asked_before(closed: Served) -> None:
    closed.http.patch("/api/v1/pools/io", json={"size": 2}, headers=BEARER)
    assert latest(closed, BEARER, target="io")["actor"] == "owner"
    before = closed.http.get("/api/v1/actions?deed=resize", headers=BEARER).json()["items"]
    assert closed.http.patch("/api/v1/pools/io", json={"size": 2}).status_code == 401
    after = closed.http.get("/api/v1/actions?deed=resize", headers=BEARER).json()["items"]
    assert before == after


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_it(server: Served, method: str) -> None:
    answer = server.http.request(method, "/api/v1/actions", json={})
    assert answer.status_code == 405


def test_it_is_exported_in_both_formats_and_no_cell_is_a_formula(server: Served) -> None:
    tasks = [server.submit("add", 1, 2, wait=0, delay=3600).json()["id"] for _ in range(2)]
    for task in tasks:
        body = {"reason": '=HYPERLINK("http://evil", "x")'}
        server.http.post(f"/api/v1/tasks/{task}/cancel", json=body)
    query = {"q": "HYPERLINK", "since": "2020-01-01T00:00:00Z"}
    export = server.http.get("/api/v1/actions/export", params=query)
    assert export.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(export.text)))
    assert [row["target"] for row in rows] == tasks[::-1]
    assert {row["reason"] for row in rows} == {"'" + '=HYPERLINK("http://evil", "x")'}

    lines = server.http.get("/api/v1/actions/export", params=query | {"format": "jsonl"}).text
    listed = server.http.get("/api/v1/actions", params=query).json()["items"]
    assert [json.loads(line) for line in lines.splitlines()] == listed


def test_a_cursor_goes_on_and_wrong_questions_are_refused(server: Served) -> None:
    first = server.http.get("/api/v1/actions", params={"limit": 1}).json()
    second = server.http.get(
        "/api/v1/actions", params={"limit": 1, "cursor": first["next_cursor"]}
    ).json()
    assert first["items"] != second["items"]
    for query in ({"deed": "sing"}, {"cursor": "x"}, {"since": "5"}, {"who": "ada"}):
        assert server.http.get("/api/v1/actions", params=query).status_code == 422
    assert server.http.get("/api/v1/actions/export?format=xlsx").status_code == 422


def test_the_page_shows_it_and_its_filters(server: Served) -> None:
    server.http.patch("/api/v1/pools/cpu", json={"size": 2, "reason": "<b>why</b>"})
    server.http.patch("/api/v1/pools/cpu", json={"size": 1})
    page = server.http.get("/actions", params={"target": "cpu", "deed": "resize"}).text
    assert "size 1 → 2" in page
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert "127.0.0.1" in page
    assert "No action fits" in server.http.get("/actions?q=nobody-says-this").text
    assert "Who did what to it" in server.http.get("/pools").text
    assert server.http.get("/actions?deed=sing&since=x").status_code == 200

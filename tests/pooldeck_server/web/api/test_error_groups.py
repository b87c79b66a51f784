"""Groups of errors over HTTP: listed, decided on, retried; and on the pages."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.served import Served, served

FAIL = "web_functions.fail"


@pytest.fixture
def failed(tmp_path: Any) -> Iterator[Served]:
    """A server on which tasks have failed in two ways, one of them twice."""
    with served(tmp_path) as running:
        for message in ("row 1 is bad", "row 22 is bad", "no such thing"):
            assert running.submit("fail", message).json()["state"] == "failed"
        yield running


def listed(server: Served, **params: Any) -> list[dict[str, Any]]:
    answer = server.http.get("/api/v1/errors", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def decide(server: Served, group: str, change: str) -> httpx.Response:
    return server.http.post(f"/api/v1/errors/{group}/{change}")


def post(server: Served, path: str, **values: str) -> httpx.Response:
    """Send a form as a browser does."""
    origin = {"origin": str(server.http.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    return server.http.post(path, data=values, headers=origin)


def test_failures_are_listed_in_groups_and_errors_name_theirs(failed: Served) -> None:
    single, double = listed(failed)
    assert [single["message"], double["message"]] == ["no such thing", "row # is bad"]
    assert (double["type"], double["kind"], double["state"]) == ("ValueError", "exception", "open")
    assert double["place"] == "functions/web_functions.py:fail"
    assert (double["count"], sum(double["hours"]), len(double["hours"])) == (2, 2, 24)
    assert double["functions"] == [{"function": FAIL, "n": 2}]
    assert double["first_seen"] < double["last_seen"]
    assert failed.http.get(f"/api/v1/errors/{double['id']}").json() == double

    task = failed.http.get(f"/api/v1/tasks/{double['last_task']}").json()
    assert (task["error"]["message"], task["error"]["group"]) == ("row 22 is bad", double["id"])
    attempts = failed.http.get(f"/api/v1/tasks/{double['last_task']}/attempts").json()["items"]
    assert [attempt["error"]["group"] for attempt in attempts] == [double["id"]]
    alike = failed.http.get("/api/v1/tasks", params={"group": double["id"]}).json()["items"]
    assert [each["args"] for each in alike] == [["row 22 is bad"], ["row 1 is bad"]]


def test_the_list_is_filtered_ordered_and_paged(failed: Served) -> None:
    single, double = listed(failed)
    assert listed(failed, sort="count") == [double, single]
    assert listed(failed, function=FAIL) == listed(failed, since="2020-01-01T00:00:00Z")
    assert listed(failed, function="web_functions.add") == listed(failed, state="muted") == []
    assert listed(failed, since="2100-01-01T00:00:00Z") == []
    first = failed.http.get("/api/v1/errors", params={"limit": 1}).json()
    assert first["items"] == [single]
    rest = {"limit": 1, "cursor": first["next_cursor"]}
    assert failed.http.get("/api/v1/errors", params=rest).json() == {
        "items": [double],
        "next_cursor": None,
    }


@pytest.mark.parametrize("params", [{"state": "done"}, {"cursor": "x"}, {"since": "now"}, {"a": 1}])
def test_a_question_that_makes_no_sense_is_refused(server: Served, params: dict[str, Any]) -> None:
    answer = server.http.get("/api/v1/errors", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_groups_are_decided_on(failed: Served) -> None:
    group = listed(failed)[0]["id"]
    for change, state in [("mute", "muted"), ("unmute", "open"), ("fix", "fixed")]:
        answer = decide(failed, group, change)
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert answer.json()["changed_at"] is not None
    again = decide(failed, group, "fix")
    assert again.json() == answer.json()
    refused = decide(failed, group, "unmute")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert listed(failed, state="fixed") == [again.json()]
    assert decide(failed, group, "forget").status_code == 422
    for path in (f"/api/v1/errors/{'0' * 16}", "/api/v1/errors/none"):
        assert failed.http.get(path).status_code == 404
        assert failed.http.post(f"{path}/fix").status_code == 404
        assert failed.http.post(f"{path}/retry").status_code == 404


def test_all_tasks_of_a_group_are_run_again(failed: Served) -> None:
    single, double = listed(failed)
    answer = failed.http.post(f"/api/v1/errors/{double['id']}/retry")
    assert answer.json() == {"matched": 2, "outcomes": {"retried": 2}}
    for task in failed.http.get("/api/v1/tasks").json()["items"]:
        failed.http.get(f"/api/v1/tasks/{task['id']}", params={"wait": 20})
    counts = {group["id"]: group["count"] for group in listed(failed)}
    assert counts == {single["id"]: 1, double["id"]: 4}


# Pages.


def test_the_pages_say_what_the_api_says_and_decide(failed: Served) -> None:
    single, double = listed(failed)
    page = failed.http.get("/errors").text
    assert page.index(f'href="/errors/{single["id"]}"') < page.index(f"/errors/{double['id']}")
    assert "<title>2 failures in 24 h</title>" in page
    answer = post(failed, f"/errors/{double['id']}/mute", list="1", sort="count")
    assert answer.headers["location"] == "/errors?did=mute&sort=count"
    page = failed.http.get(answer.headers["location"]).text
    assert "It is muted: counted, but listed apart." in page
    assert double["id"] not in page
    assert double["id"] in failed.http.get("/errors?state=muted").text
    assert double["id"] in failed.http.get(f"/errors?state=all&function={FAIL}").text

    answer = post(failed, f"/errors/{double['id']}/fix")
    assert answer.headers["location"] == f"/errors/{double['id']}?did=fix"
    page = failed.http.get(answer.headers["location"]).text
    for words in ("It is marked as fixed.", "row # is bad", "row 22 is bad", "Retry 2 tasks"):
        assert words in page
    assert f'href="/tasks/retry?group={double["id"]}"' in page
    assert "raise ValueError(message)" in page
    assert failed.http.get("/errors/none").status_code == 404


def test_where_nothing_failed_the_page_says_what_would_stand_there(tmp_path: Any) -> None:
    with served(tmp_path) as fresh:
        assert "Failures stand here in groups" in fresh.http.get("/errors").text
        fresh.submit("fail", "<b>no</b>")
        page = fresh.http.get("/errors").text
        assert "&lt;b&gt;no&lt;/b&gt;" in page
        assert "No group of errors fits" in fresh.http.get("/errors?state=fixed").text

"""Deletions of many tasks go on after the request, one at a time, and can be stopped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import BOUND, WEB_FUNCTIONS, Served, served
from tests.support.waiting import eventually

MANY = 2500
MORE = 5000  # so that it goes on for some requests


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of these tests alone, since one deletion goes on at a time."""
    with served(tmp_path_factory.mktemp("deletions")) as running:
        yield running


def ended(server: Served, number: int, tag: str) -> dict[str, Any]:
    """Let there be tasks that have ended, and return a filter that fits them."""
    task = {"function": f"{WEB_FUNCTIONS}.add", "args": [1], "delay": 3600, "tags": [tag]}
    for begin in range(0, number, 1000):
        batch = {"tasks": [task] * min(1000, number - begin)}
        assert server.http.post("/api/v1/tasks/batch", json=batch).status_code == 202
    wanted = {"filter": {"tag": [tag]}}
    done = server.http.post("/api/v1/tasks/cancel", json=wanted).json()
    assert done["outcomes"] == {"cancelled": number}
    return wanted


def left(server: Served, wanted: dict[str, Any]) -> int:
    asked = wanted | {"dry_run": True}
    number: int = server.http.post("/api/v1/tasks/delete", json=asked).json()["matched"]
    return number


def over(server: Served, deletion: dict[str, Any]) -> dict[str, Any]:
    """Return a deletion that has ended."""
    path = f"/api/v1/deletions/{deletion['id']}"
    eventually(lambda: server.http.get(path).json()["state"] != "running", "it ends", BOUND)
    found: dict[str, Any] = server.http.get(path).json()
    return found


def test_many_are_deleted_after_the_answer(own: Served) -> None:
    wanted = ended(own, MANY, "many")

    answer = own.http.post("/api/v1/tasks/delete", json=wanted)

    begun = answer.json()
    assert (answer.status_code, begun["matched"]) == (202, MANY)
    assert answer.headers["location"] == f"/api/v1/deletions/{begun['id']}"
    done = over(own, begun)
    assert (done["state"], done["outcomes"]) == ("done", {"deleted": MANY})
    assert left(own, wanted) == 0


def test_a_few_are_deleted_while_one_waits(own: Served) -> None:
    answer = own.http.post("/api/v1/tasks/delete", json=ended(own, 3, "few"))
    assert (answer.status_code, answer.json()["outcomes"]) == (200, {"deleted": 3})


def test_one_goes_on_at_a_time_and_can_be_stopped(own: Served) -> None:
    wanted = ended(own, MORE, "stopped") | {"reason": "too much"}
    begun = own.http.post("/api/v1/tasks/delete", json=wanted).json()
    path = f"/api/v1/deletions/{begun['id']}"

    second = own.http.post("/api/v1/tasks/delete", json=wanted)
    stopped = own.http.post(f"{path}/stop").json()

    assert (second.status_code, second.json()["deletion"]) == (409, begun["id"])
    assert (stopped["state"], stopped["problem"]) == ("stopped", "somebody has stopped it")
    assert stopped["outcomes"]["deleted"] + left(own, wanted_only(wanted)) == MORE
    assert left(own, wanted_only(wanted)) > 0
    assert own.http.post(f"{path}/stop").json() == stopped
    said = own.http.get("/api/v1/actions", params={"deed": "stop_deletion"}).json()["items"]
    assert len(said) == 1
    [deleted] = own.http.get("/api/v1/actions", params={"deed": "delete", "limit": 1}).json()[
        "items"
    ]
    assert (deleted["reason"], deleted["number"]) == ("too much", stopped["outcomes"]["deleted"])


def wanted_only(wanted: dict[str, Any]) -> dict[str, Any]:
    return {"filter": wanted["filter"]}


def test_an_unknown_deletion_is_told(own: Served) -> None:
    assert own.http.get("/api/v1/deletions/nothing").status_code == 404
    assert own.http.post("/api/v1/deletions/nothing/stop").status_code == 404


def test_the_form_begins_one_and_leads_to_its_progress(own: Served) -> None:
    ended(own, MORE, "asked")
    question = own.http.get("/tasks/delete", params={"tag": "asked"})
    assert 'name="reason"' in question.text

    answer = own.http.post(
        "/tasks/delete", data={"tag": "asked", "before": "9999999999999999", "reason": "old"}
    )

    assert answer.status_code == 303
    assert answer.headers["location"] == "/retention?did=deleting#deletion"
    page = own.http.get(answer.headers["location"]).text
    assert 'data-refresh="always"' in page
    assert "Deletion of 5,000 tasks" in page
    [number] = {part.partition("/stop")[0] for part in page.split('action="/deletions/')[1:]}
    assert over(own, {"id": number})["outcomes"] == {"deleted": MORE}
    after = own.http.get("/retention").text
    assert "It is done." in after
    assert 'data-refresh="never"' in after


def test_the_end_of_the_server_leaves_the_rest_whole(tmp_path: Path) -> None:
    with served(tmp_path) as first:
        wanted = ended(first, MANY, "cut")
        assert first.http.post("/api/v1/tasks/delete", json=wanted).status_code == 202
    with served(tmp_path) as second:
        number = left(second, wanted)
        assert 0 < number < MANY + 1
        deleted = second.http.get("/api/v1/actions", params={"deed": "delete"}).json()["items"]
        assert sum(each["number"] for each in deleted) == MANY - number
        listed = second.http.get("/api/v1/tasks", params={"tag": "cut", "limit": 500}).json()
        assert listed["items"]

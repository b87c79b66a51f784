"""History and annotations over HTTP, and the reasons that calls take."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.served import Served, served
from tests.support.watching import task_in, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, since other tests rely on what is changed here."""
    with served(tmp_path_factory.mktemp("history")) as running:
        yield running


def history(server: Served, **query: Any) -> dict[str, Any]:
    response = server.http.get("/api/v1/history", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def annotation(server: Served, holds: Callable[[dict[str, Any]], bool], **query: Any) -> Any:
    """Return the latest annotation that something holds for, as soon as there is one."""

    def look() -> dict[str, Any] | None:
        items = server.http.get("/api/v1/annotations", params=query).json()["items"]
        return next(filter(holds, items), None)

    return until(look)


def test_a_series_comes_with_its_unit_its_times_and_a_line_for_each_of_what(server: Served) -> None:
    assert server.submit("echo", 1).json()["state"] == "succeeded"

    def shown() -> dict[str, Any] | None:
        found = history(server, period=900, by="pool", function="web_functions.echo")
        return found if any(any(line["values"]) for line in found["lines"]) else None

    found = until(shown)
    assert (found["series"], found["unit"]) == ("throughput", "per s")
    assert (found["period"], found["step"], len(found["at"])) == (900, 10, 90)
    (line,) = found["lines"]
    assert line["name"] == "cpu"
    assert len(line["values"]) == 90
    assert sum(value or 0 for value in line["values"]) == pytest.approx(0.1)


def test_what_was_done_stands_on_the_chart(server: Served) -> None:
    server.http.patch("/api/v1/pools/io", json={"size": 3})
    marked = annotation(server, lambda one: one["kind"] == "resize", pool="io")
    assert (marked["data"], marked["href"]) == ({"before": 2, "after": 3}, None)

    def on_chart() -> dict[str, Any] | None:
        marks = history(server, series="size", pool="io")["annotations"]
        return next((mark for mark in marks if mark["kind"] == "resize"), None)

    mark = until(on_chart)
    assert (mark["pool"], mark["data"], mark["reason"]) == ("io", marked["data"], None)
    assert isinstance(mark["at"], float)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"period": 7}, "period: 7 is none of"),
        ({"series": "speed"}, "series: "),
        ({"series": "cpu", "by": "function"}, "cpu is not known by function"),
        ({"series": "queued", "function": "f"}, "queued is known of pools only"),
        ({"until": 3}, "until: there is no such parameter"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    server: Served, query: dict[str, Any], says: str
) -> None:
    response = server.http.get("/api/v1/history", params=query)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert says in response.json()["detail"]


def test_a_killed_worker_a_restart_and_a_drain_keep_their_reasons(server: Served) -> None:
    worker = server.http.get("/api/v1/pools/cpu").json()["workers"][0]["id"]
    for path, kind, subject in (
        (f"/api/v1/workers/{worker}/kill", "kill_worker", worker),
        ("/api/v1/pools/cpu/restart", "restart", None),
        ("/api/v1/pools/cpu/drain", "drain", None),
    ):
        answer = server.http.post(path, json={"reason": f"why {kind}"})
        assert answer.status_code == 200, answer.text
        noted = annotation(server, lambda one, kind=kind: one["kind"] == kind)  # type: ignore[misc]
        assert (noted["pool"], noted["subject"]) == ("cpu", subject)
        assert noted["reason"] == f"why {kind}"
    server.http.patch("/api/v1/pools/cpu", json={"paused": False})


@pytest.mark.parametrize("many", [False, True])
def test_a_killed_task_keeps_its_reason_and_leads_to_its_page(server: Served, many: bool) -> None:
    task = server.submit("block", wait=0).json()["id"]
    task_in(server, task, "running")
    if many:
        body = {"ids": [task], "kill": True, "reason": "all of them"}
        answer = server.http.post("/api/v1/tasks/cancel", json=body)
    else:
        body = {"kill": True, "reason": "all of them"}
        answer = server.http.post(f"/api/v1/tasks/{task}/cancel", json=body)
    assert answer.status_code == 200, answer.text
    noted = annotation(server, lambda one: one["subject"] == task)
    assert (noted["kind"], noted["reason"]) == ("kill_task", "all of them")
    assert server.http.get(noted["href"]).status_code == 200


def test_a_reason_is_bounded_and_a_body_has_nothing_else(server: Served) -> None:
    for body in ({"reason": "x" * 501}, {"reason": 1}, {"why": "x"}):
        response = server.http.post("/api/v1/pools/solo/restart", json=body)
        assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    as_form = server.http.post("/api/v1/pools/solo/restart", data={"reason": "x"})
    assert as_form.status_code == 415


def test_annotations_are_bounded_in_time_and_number(server: Served) -> None:
    annotation(server, lambda one: one["kind"] == "start")
    newest = server.http.get("/api/v1/annotations", params={"limit": 1}).json()["items"]
    assert len(newest) == 1
    before = {"until": newest[0]["at"]}
    items = server.http.get("/api/v1/annotations", params=before).json()["items"]
    assert newest[0] not in items
    since = {"since": "2999-01-01T00:00:00Z"}
    assert server.http.get("/api/v1/annotations", params=since).json()["items"] == []

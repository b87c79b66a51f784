"""Watches: the ends of many tasks on one open answer."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.served import WEB_FUNCTIONS, Served, connected, served
from tests.support.waiting import eventually
from tests.support.watched import PATH, add, watching

ABSENT = "019ad5a2-3c10-7b4e-9f8e-2d64a7c0ffee"
SECOND_ABSENT = "019ad5a2-3c10-7b4e-9f8e-2d64a7c0fff0"


def batch(
    server: Served, values: range, headers: dict[str, str] | None = None, function: str = "echo"
) -> httpx.Response:
    """Submit a task for each of some values."""
    tasks = [{"function": f"{WEB_FUNCTIONS}.{function}", "args": [each]} for each in values]
    return server.http.post("/api/v1/tasks/batch", json={"tasks": tasks}, headers=headers)


def ids_in(answer: httpx.Response) -> list[str]:
    """Return the ids of what a submission or a batch has stored."""
    found: dict[str, Any] = answer.json()
    return list(found.get("ids", ())) or [str(found["id"])]


def test_what_has_ended_already_is_told_at_once_as_the_task_itself_has_it(server: Served) -> None:
    good = server.submit("echo", {"a": [1, "ü"]}).json()
    bad = server.submit("fail", "no").json()
    with watching(server.http, [good["id"], bad["id"]]) as watch:
        watch.wait_for([good["id"], bad["id"]])
    for task in (good, bad):
        fields = ("id", "state", "attempt", "result", "error")
        assert watch.ends[task["id"]] == {name: task[name] for name in fields}
    assert watch.ends[bad["id"]]["error"]["message"] == "no"


def test_what_is_submitted_under_a_watch_is_told_without_a_further_request(server: Served) -> None:
    with watching(server.http) as watch:
        headers = {"Pooldeck-Watch": watch.id}
        many = batch(server, range(50), headers)
        one = server.http.post(
            "/api/v1/tasks",
            json={"function": f"{WEB_FUNCTIONS}.echo", "args": ["one"]},
            headers=headers,
        )
        assert many.headers["pooldeck-watch"] == one.headers["pooldeck-watch"] == watch.id
        ids = [*many.json()["ids"], one.json()["id"]]
        watch.wait_for(ids)
    assert [watch.ends[each]["result"] for each in ids] == [*range(50), "one"]
    assert watch.unknown == []


def test_tasks_can_be_added_before_and_after_their_ends(server: Served) -> None:
    ended = server.submit("echo", 1).json()["id"]
    open_ = server.submit("doze", 0.3, wait=0).json()["id"]
    with watching(server.http) as watch:
        answer = add(server.http, watch.id, [ended, open_])
        assert answer.status_code == 200
        assert answer.json()["watching"] in {1, 2}
        watch.wait_for([ended, open_])


def test_ids_of_no_tasks_are_told_as_unknown(server: Served) -> None:
    with watching(server.http, [ABSENT]) as watch:
        eventually(lambda: watch.unknown == [ABSENT])
        add(server.http, watch.id, [SECOND_ABSENT, "no id at all"])
        eventually(lambda: {SECOND_ABSENT, "no id at all"} <= set(watch.unknown))
        assert add(server.http, watch.id, []).json() == {"watching": 0}


def test_starts_are_told_to_those_who_ask(server: Served) -> None:
    task = server.submit("doze", 0.5, wait=0).json()["id"]
    with watching(server.http, [task], starts=True) as asks, watching(server.http, [task]) as not_:
        asks.wait_for([task])
        not_.wait_for([task])
    assert task in asks.starts
    assert not_.starts == []


def test_a_cancelled_task_has_ended(server: Served) -> None:
    task = server.submit("echo", 1, wait=0, delay=3600).json()["id"]
    with watching(server.http, [task]) as watch:
        server.http.post(f"/api/v1/tasks/{task}/cancel")
        watch.wait_for([task])
    assert watch.ends[task]["state"] == "cancelled"
    assert watch.ends[task]["result"] is watch.ends[task]["error"] is None


def test_large_results_are_told_up_to_a_bound_and_larger_ones_are_to_be_fetched(
    server: Served,
) -> None:
    sizes = {"short": 10, "long": 100_000, "too long": 300_000}
    ids = {name: server.submit("repeat", "x", size).json()["id"] for name, size in sizes.items()}
    with watching(server.http, list(ids.values())) as watch:
        watch.wait_for(list(ids.values()))
    assert watch.ends[ids["short"]]["result"] == "x" * 10
    assert watch.ends[ids["long"]]["result"] == "x" * 100_000
    assert watch.ends[ids["too long"]] == {
        "id": ids["too long"],
        "state": "succeeded",
        "attempt": 1,
        "fetch": True,
    }


def test_a_key_that_was_used_before_is_watched_as_well(server: Served) -> None:
    one = {"function": f"{WEB_FUNCTIONS}.echo", "args": [1]}
    calls = {
        "/api/v1/tasks": (one, {"Idempotency-Key": "watched"}),
        "/api/v1/tasks/batch": ({"tasks": [one]}, {"Idempotency-Key": "watched"}),
        "/api/v1/tasks/batch?": ({"tasks": [one | {"idempotency_key": "watched"}]}, {}),
    }
    for path, (body, key) in calls.items():
        first = ids_in(server.http.post(path, json=body, headers=key))
        with watching(server.http) as watch:
            headers = key | {"Pooldeck-Watch": watch.id}
            second = server.http.post(path, json=body, headers=headers)
            assert ids_in(second) == first
            assert second.headers["pooldeck-watch"] == watch.id
            watch.wait_for(first)


def test_a_submission_under_no_watch_is_stored_and_says_that_nobody_watches(
    server: Served,
) -> None:
    answer = batch(server, range(3), {"Pooldeck-Watch": "gone"})
    assert answer.status_code == 202
    assert "pooldeck-watch" not in answer.headers
    assert add(server.http, "gone", answer.json()["ids"]).status_code == 404


def test_what_is_refused_is_not_watched(server: Served) -> None:
    with watching(server.http) as watch:
        headers = {"Pooldeck-Watch": watch.id}
        tasks = [{"function": f"{WEB_FUNCTIONS}.echo", "args": [1]}, {"function": "nothing"}]
        refused = server.http.post("/api/v1/tasks/batch", json={"tasks": tasks}, headers=headers)
        assert refused.status_code == 422
        assert add(server.http, watch.id, []).json() == {"watching": 0}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": "a"},
        {"ids": [1]},
        {"ids": [""]},
        {"ids": ["a" * 65]},
        {"ids": [], "starts": 1},
        {"ids": [], "more": 1},
        [],
    ],
)
def test_other_bodies_are_refused(server: Served, body: Any) -> None:
    assert server.http.post(PATH, json=body).status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b'{"ids": [}', b'{"ids": [], "ids": []}', b"\xff"])
def test_what_is_no_json_is_refused(server: Served, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    assert server.http.post(PATH, content=body, headers=headers).status_code == 400


def test_a_watch_may_be_for_a_bounded_number_of_tasks(server: Served) -> None:
    ids = [f"no-task-{number}" for number in range(100_001)]
    too_many = server.http.post(PATH, json={"ids": ids})
    assert (too_many.status_code, too_many.json()["code"]) == (413, "too_large")
    with watching(server.http, ids[1:]) as watch:
        eventually(lambda: len(watch.unknown) == len(ids) - 1)


def test_each_of_ten_thousand_ends_is_told_once_as_it_comes_and_to_who_asks_later(
    server: Served,
) -> None:
    call = {"function": f"{WEB_FUNCTIONS}.echo", "args": [1], "delay": 3600, "tags": ["mass"]}
    with watching(server.http) as watch:
        headers = {"Pooldeck-Watch": watch.id}
        body = {"tasks": [call] * 10_000}
        ids = server.http.post("/api/v1/tasks/batch", json=body, headers=headers).json()["ids"]
        done = server.http.post("/api/v1/tasks/cancel", json={"filter": {"tag": ["mass"]}})
        assert done.json()["outcomes"] == {"cancelled": 10_000}
        watch.wait_for(ids)
        assert watch.ends.keys() == set(ids)
    with watching(server.http, ids) as late:
        late.wait_for(ids)
        assert late.ends.keys() == set(ids)
    assert len(watch.lines) < len(ids) / 10  # many at once


def test_a_reader_that_pauses_misses_nothing_and_holds_nobody_up(server: Served) -> None:
    body = json.dumps({"ids": []}).encode()
    with connected(server) as reader:
        reader.sendall(
            b"POST /api/v1/watches HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        lines = reader.makefile("rb")
        watch = next(json.loads(line)["watch"] for line in lines if line.startswith(b'{"watch"'))
        tasks = [{"function": f"{WEB_FUNCTIONS}.repeat", "args": ["x", 200_000]}] * 40
        headers = {"Pooldeck-Watch": watch}
        answer = server.http.post("/api/v1/tasks/batch", json={"tasks": tasks}, headers=headers)
        left = set(answer.json()["ids"])
        with watching(server.http, list(left)) as other:
            other.wait_for(list(left))
        for line in lines:
            if line.startswith(b'{"ends"'):
                left -= {end["id"] for end in json.loads(line)["ends"]}
                if not left:
                    break
        assert not left


def test_watches_have_a_limit_of_their_own_and_who_goes_away_makes_room(tmp_path: Path) -> None:
    with served(tmp_path, limits={"watches": 1, "watched_tasks": 10}) as server:
        with watching(server.http):
            refused = server.http.post(PATH, json={"ids": []})
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
            assert int(refused.headers["retry-after"]) > 0
            assert "\npooldeck_watches 1.0\n" in server.http.get("/metrics").text
        eventually(lambda: "\npooldeck_watches 0.0\n" in server.http.get("/metrics").text)
        many = [f"no-task-{number}" for number in range(11)]
        refused = server.http.post(PATH, json={"ids": many})
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
        with watching(server.http) as watch:
            answer = batch(server, range(11), {"Pooldeck-Watch": watch.id})
            assert answer.status_code == 202
            assert "pooldeck-watch" not in answer.headers


def test_an_ending_server_tells_the_last_ends_and_says_that_it_is_over(tmp_path: Path) -> None:
    with served(tmp_path, grace_seconds=60) as server:
        task = server.submit("doze", 0.5, wait=0).json()["id"]
        with watching(server.http, [task], starts=True) as watch:
            eventually(lambda: task in watch.starts)
            server.http.post("/api/v1/server/drain", json={"stop": True})
            watch.wait_until_closed()
        assert watch.ends[task]["state"] == "succeeded"
        assert watch.lines[-1] == {"over": "draining"}

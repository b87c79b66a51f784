"""Logs over HTTP: what is missing, what is not finished, and what workers say of their own."""

from typing import Any

import pytest

from pooldeck_server.domain.tasks.log import WorkerEntry
from tests.support.served import Served
from tests.support.waiting import eventually


def lines_of(server: Served, path: str, limit: int = 500) -> list[dict[str, Any]]:
    """Return a whole log, read part by part as a program does."""
    lines: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        part = server.http.get(path, params={"after": after, "limit": limit}).json()
        lines += part["items"]
        after = part["next_after"]
    return lines


def said_by_worker(server: Served, worker: str, *lines: WorkerEntry) -> None:
    """Let a worker say something, and wait until it is stored."""
    server.app.server.queues["cpu"].recorder.record_worker_log(lines)
    path = f"/api/v1/workers/{worker}/logs"
    eventually(lambda: len(lines_of(server, path)) == len(lines), "the lines are stored")


@pytest.mark.parametrize("limit", [500, 333])
def test_a_program_that_reads_a_long_log_in_parts_learns_of_every_line_that_is_missing(
    server: Served, limit: int
) -> None:
    task = server.submit("chatter", 11_000).json()
    lines = lines_of(server, f"/api/v1/tasks/{task['id']}/logs", limit)
    (gap,) = [line for line in lines if line["left_out"]]
    assert len(lines) + gap["left_out"] == 11_000
    assert len(lines) <= 10_000
    assert [lines[0]["message"], lines[-1]["message"]] == ["line 0", "line 10999"]
    assert gap["message"] == f"line {gap['n'] - 1}"


def test_a_workers_own_log_is_on_a_page_and_leads_from_the_tasks_beside_it(server: Served) -> None:
    before = server.submit("add", 1).json()
    worker = before["worker"]["id"]
    task = server.submit("flaky", 5, pool="cpu").json()
    assert task["worker"]["id"] == worker
    now = server.app.server.clock.now()
    said_by_worker(
        server,
        worker,
        WorkerEntry(worker, 1, now, "INFO", "output", "\x1b[32mfrom <b>C</b>\x1b[0m"),
        WorkerEntry(worker, 4, now, "INFO", f"stdout of jobs.add ({before['id']})", "10 %", True),
    )
    lines = server.http.get(f"/api/v1/workers/{worker}/logs").json()["items"]
    assert [(each["n"], each["left_out"], each["is_open"]) for each in lines] == [
        (1, 0, False),
        (4, 2, True),
    ]
    assert lines[0]["message"] == "\x1b[32mfrom <b>C</b>\x1b[0m"
    page = server.http.get(f"/workers/{worker}/log").text
    assert '<span class="ansi-green">from &lt;b&gt;C&lt;/b&gt;</span>' in page
    assert "2 lines left out here" in page
    link = f'href="/workers/{worker}/log"'
    assert link in server.http.get(f"/tasks/{before['id']}").text  # its thread spoke later
    assert link not in server.http.get(f"/tasks/{task['id']}").text


@pytest.mark.parametrize("name", ["nobody", "nobody-1", "cpu-99999", "cpu-0", "cpu-"])
def test_a_worker_that_never_was_has_no_log(server: Served, name: str) -> None:
    for path in (f"/api/v1/workers/{name}/logs", f"/workers/{name}/log"):
        assert server.http.get(path).status_code == 404


def test_an_error_in_colours_is_raw_for_programs_and_plain_in_its_group(server: Served) -> None:
    task = server.submit("fail", "\x1b[31mexpected\x1b[0m 3").json()
    assert task["error"]["message"] == "\x1b[31mexpected\x1b[0m 3"
    group = server.http.get(f"/api/v1/errors/{task['error']['group']}").json()
    assert group["message"] == "expected #"
    plain = server.submit("fail", "expected 4").json()
    assert plain["error"]["group"] == task["error"]["group"]
    for path in ("/", "/errors", f"/errors/{group['id']}", f"/tasks?group={group['id']}"):
        page = server.http.get(path).text
        assert "\x1b" not in page


def test_the_logs_of_all_tasks_are_searched_and_the_answer_says_how_far(server: Served) -> None:
    task = server.submit("chatter", 3).json()
    said = lines_of(server, f"/api/v1/tasks/{task['id']}/logs")[1]
    answer = server.http.get("/api/v1/logs", params={"q": said["message"], "limit": 500})
    found = answer.json()
    assert (task["id"], said["n"]) in [(each["task"], each["n"]) for each in found["items"]]
    assert 0 < found["looked_at"] <= found["tasks"]
    page = server.http.get("/logs", params={"q": said["message"]})
    assert f"/tasks/{task['id']}?attempt=1&amp;line={said['n']}#line-{said['n']}" in page.text
    for odd in ({"q": ""}, {}, {"q": "x", "level": "LOUD"}, {"q": "x", "cursor": "1"}):
        assert server.http.get("/api/v1/logs", params=odd).status_code == 422


def test_what_a_search_in_logs_cannot_mean_is_said_and_the_text_stays(server: Served) -> None:
    page = server.http.get("/logs", params={"q": "kept words", "level": "LOUD"})
    assert page.status_code == 422
    assert 'value="kept words"' in page.text
    assert "There is no level LOUD" in page.text

"""The page of retention, and the buttons that delete and keep."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.datastructures import QueryParams

from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.retention import DAY, FunctionRetention, RetentionRules
from pooldeck_server.web.pages.retention.form import read_rules, values_of
from tests.support.served import Served, served
from tests.support.stored import make
from tests.support.waiting import eventually


def test_rules_come_back_from_the_form_as_they_were_shown() -> None:
    rules = RetentionRules(
        succeeded=0.5,
        failed=0,
        most=12_345_678,
        functions=(FunctionRetention("acme.*", 7), FunctionRetention("b", None, 100)),
    )
    assert read_rules(QueryParams(values_of(rules))) == rules


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("succeeded", "soon"),
        ("failed", "-1"),
        ("lost", "nan"),
        ("others", "inf"),
        ("most", "1.5"),
        ("functions", "a b c d"),
    ],
)
def test_what_is_no_rule_is_refused(name: str, text: str) -> None:
    values = values_of(RetentionRules()) | {name: text}
    with pytest.raises(InvalidRequest):
        read_rules(QueryParams(values))


def test_never_means_for_ever() -> None:
    values = values_of(RetentionRules()) | {"succeeded": "never", "most": "never"}
    rules = read_rules(QueryParams(values))
    assert (rules.succeeded, rules.most) == (0, 0)


def test_rules_are_set_on_the_page_and_count_at_once(server: Served) -> None:
    values = values_of(RetentionRules(succeeded=12))
    done = server.http.post("/retention", data=values)
    assert (done.status_code, done.headers["location"]) == (303, "/retention?did=set")
    page = server.http.get(done.headers["location"]).text
    assert "These rules count now." in page
    assert 'value="12"' in page
    wrong = server.http.post("/retention", data=values | {"failed": "soon"})
    assert wrong.status_code == 422
    assert 'value="soon"' in wrong.text
    assert server.http.post("/retention/reset").status_code == 303
    assert server.http.get("/api/v1/retention").json()["source"] == "settings"


def test_a_task_is_kept_let_go_and_deleted_on_its_page(server: Served) -> None:
    task = server.submit("echo", 1).json()["id"]
    path = f"/tasks/{task}"
    assert 'id="expires"' in server.http.get(path).text
    kept = server.http.post(f"{path}/keep").headers["location"]
    page = server.http.get(kept).text
    assert "is not deleted until somebody lets it go" in page
    assert 'id="delete"' not in page
    server.http.post(f"{path}/unkeep")
    question = server.http.get(f"{path}/delete").text
    assert "Nothing brings it back" in question
    done = server.http.post(f"{path}/delete")
    assert "1 deleted." in server.http.get(done.headers["location"]).text


def test_how_many_are_deleted_is_asked_first(server: Served) -> None:
    for _ in range(2):
        server.submit("echo", 1, tags=["asked"])
    question = server.http.get("/tasks/delete", params={"tag": "asked"}).text
    assert "Delete 2 tasks?" in question
    assert 'href="/tasks/delete?tag=asked"' in server.http.get("/tasks?tag=asked").text
    before = question.split('name="before" value="')[1].split('"')[0]
    done = server.http.post("/tasks/delete", data={"tag": "asked", "before": before})
    assert "2 deleted." in server.http.get(done.headers["location"]).text


def test_chosen_tasks_are_asked_for_too(server: Served) -> None:
    task = server.submit("echo", 1).json()["id"]
    question = server.http.post("/tasks/chosen/delete", data={"id": task, "back": "/tasks"}).text
    assert "Delete 1 task?" in question


def test_a_clock_that_went_far_ahead_is_asked_about_and_vouched_for(tmp_path: Path) -> None:
    make(tmp_path / "pooldeck.sqlite3")
    now = SystemClock().now()
    with closing(sqlite3.connect(tmp_path / "pooldeck.sqlite3")) as database, database:
        leap = (now - 40 * DAY, now)
        database.execute("UPDATE retention SET leapt_from = ?, leapt_to = ?", leap)
    with served(tmp_path) as server:
        assert "is 40 days ahead" in server.http.get("/tasks").text
        assert 'id="vouch"' in server.http.get("/retention").text
        ahead = server.http.get("/api/v1/retention").json()["clock_ahead_seconds"]
        assert 39 * 86_400 < ahead < 41 * 86_400
        page = server.http.post("/retention/vouch", follow_redirects=True)
        assert "The clock counts as it is" in page.text
        assert 'id="vouch"' not in page.text
        assert server.http.get("/api/v1/retention").json()["clock_ahead_seconds"] is None
        again = server.http.post("/api/v1/retention/vouch")
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        eventually(
            lambda: "days ahead" not in server.http.get("/tasks").text, "the notice has gone"
        )

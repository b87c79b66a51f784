"""Each request is counted, and has a line of the log if that is asked for."""

import logging
from typing import Any

import pytest

from pooldeck_server.domain.access import OWNER
from pooldeck_server.web.http.principals import put_principal
from pooldeck_server.web.http.requests import Requests, put_route


def scope(path: str = "/api/v1/tasks", method: str = "POST", **more: Any) -> dict[str, Any]:
    usual = {"type": "http", "root_path": "", "client": ("10.0.0.7", 5000)}
    return usual | {"path": path, "method": method} | more


def test_paths_that_nobody_serves_and_methods_that_nobody_knows_make_no_series_of_their_own() -> (
    None
):
    requests = Requests()

    for number in range(50):
        requests.note(scope(f"/x/{number}", f"M{number}"), 404, 0.01)

    assert requests.counts == {("other", "other", 404): 50}
    assert list(requests.seconds) == [("other", "other")]


def test_static_files_are_one_route() -> None:
    requests = Requests()

    requests.note(scope("/static/abc/js/a.js", "GET"), 200, 0.01)
    requests.note(scope("/static/def/js/b.js", "GET"), 200, 0.01)

    assert requests.counts == {("GET", "/static/", 200): 2}


def test_nothing_is_said_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    Requests().note(scope(), 202, 0.01)

    assert not caplog.records


def test_a_line_says_who_asked_for_what_and_what_came_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    asked = scope(query_string=b"token=secret")
    put_principal(asked, OWNER)
    put_route(asked, "/api/v1/tasks")

    Requests(says_each=True).note(asked, 202, 0.0123456789)

    [record] = caplog.records
    assert record.getMessage() == '10.0.0.7 owner "POST /api/v1/tasks" 202 in 12.3 ms'
    about: dict[str, Any] = record.__dict__["about"]
    assert about == {
        "client": "10.0.0.7",
        "principal": "owner",
        "method": "POST",
        "path": "/api/v1/tasks",
        "route": "/api/v1/tasks",
        "status": 202,
        "duration": 0.012346,
    }

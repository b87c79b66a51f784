"""Errors as answers."""

import asyncio
import json

import pytest
from httpx import ASGITransport, AsyncClient, Response

from pooldeck_server.domain.errors import NotFound, PooldeckError, QueueFull, Unauthorized
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.errors import STATUS, problem
from pooldeck_server.web.pages.shared.rendering import page_router
from tests.support.answering import answering
from tests.support.served import Served, connected


def every_error() -> list[type[PooldeckError]]:
    found, left = [], [PooldeckError]
    while left:
        found += (children := left.pop().__subclasses__())
        left += children
    return found


@pytest.mark.parametrize("error", every_error())
def test_each_error_has_a_status_a_code_and_a_title(error: type[PooldeckError]) -> None:
    answer = problem(error("what happened"))
    assert answer.media_type == "application/problem+json"
    document = json.loads(bytes(answer.body))
    assert document == {
        "type": "about:blank",
        "title": error.title,
        "status": answer.status_code,
        "detail": "what happened",
        "code": error.code,
    }


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes)) == len(STATUS)


def test_further_members_stand_beside_and_cannot_replace() -> None:
    answer = problem(NotFound("gone", pool="cpu", status=200, nothing=None))
    document = json.loads(bytes(answer.body))
    assert (document["pool"], document["status"]) == ("cpu", 404)
    assert "nothing" not in document


def test_when_to_come_back_is_a_header() -> None:
    assert problem(QueueFull("full", retry_after=5)).headers["retry-after"] == "5"


def test_how_to_log_in_is_a_header() -> None:
    assert problem(Unauthorized("who?")).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", [b"/functions/web_functions.add", b"/tasks/cancel", b"/api/v1/tasks/cancel"]
)
def test_who_goes_away_in_the_middle_of_a_body_is_no_defect(
    server: Served, caplog: pytest.LogCaptureFixture, path: bytes
) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n" % path
    kind = b"json" if path.startswith(b"/api/") else b"x-www-form-urlencoded"
    with connected(server) as connection:
        connection.sendall(head + b"Content-Type: application/%b\r\n\r\na=b" % kind)
        assert server.http.get("/healthz").status_code == 200  # so the first part has arrived
    for _ in range(3):  # and so has the end
        assert server.http.get("/healthz").status_code == 200
    assert "internal error" not in caplog.text


def test_an_unknown_path_of_the_api_is_a_problem(server: Served) -> None:
    _expect(server.http.get("/api/v1/nothing"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/tasks", {"GET", "POST"}),
        ("/api/v1/pools/cpu", {"GET", "PATCH"}),
        ("/api/v1/tasks/some-id", {"GET", "PATCH", "DELETE"}),
        ("/api/v1/tasks/batch", {"POST"}),  # and no task has such an id
        ("/api/v1/tasks/retry", {"POST"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    server: Served, path: str, allowed: set[str]
) -> None:
    response = server.http.put(path)
    _expect(response, 405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) == allowed


def test_a_defect_shows_an_id_and_keeps_its_details_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def defect() -> None:
        raise ZeroDivisionError("a secret of the inside")

    app = answering("/pools", defect)
    response = _get(app, "/pools")
    _expect(response, 500, "internal")
    assert "secret" not in response.text
    [record] = [
        record for record in caplog.records if record.name == "pooldeck_server.web.http.errors"
    ]
    assert response.json()["id"] in record.getMessage()
    assert record.exc_info is not None


def _get(app: Application, path: str) -> Response:
    async def get() -> Response:
        transport = ASGITransport(app)
        async with AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(get())


def _expect(response: Response, status: int, code: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_defect_of_a_page_is_a_page_too_with_the_way_on(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    router = page_router()

    @router.get("/drain")
    async def defect() -> None:
        raise ZeroDivisionError("a secret of the inside")

    routes = server.app.load().router.routes
    routes[:0] = router.routes
    try:
        answer = server.http.get("/drain")
    finally:  # others use the same server
        routes.remove(router.routes[0])
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert 'href="/"' in answer.text
    assert "secret" not in answer.text
    [record] = [each for each in caplog.records if "internal error" in each.getMessage()]
    assert record.getMessage().rpartition(" ")[2] in answer.text

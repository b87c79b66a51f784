"""Requests that are made to be costly: they are cut off or refused, whoever sends them."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import Request
from httpx import ASGITransport, AsyncClient
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from pooldeck_server.web.http.cookies import MAX_BYTES, cookie, take_cookies
from pooldeck_server.web.http.protocol.connection import Connection
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.answering import answering
from tests.support.no_tls import NO_TLS
from tests.support.served import BOUND, Served, connected, rest

MIB = 1024 * 1024
MUCH = 32 * MIB  # more than a server and the buffers between take without reading on
JSON = b"Host: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
POST = b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + CHUNKED
TASK = b'{"function": "web_functions.add", "args": [1]}'
TRAILERS = b"a: b\r\n" * 10_000
ENDLESS = {
    "trailers": (b"0\r\n", TRAILERS),
    "one trailer": (b"0\r\na: ", b"x" * 60_000),
    "one extension": (b"1;", b"x" * 60_000),
    "chunks with extensions": (b"", (b"1;" + b"x" * 500 + b"\r\nx\r\n") * 100),
    "trailers after a body": (b"%x\r\n%b\r\n0\r\n" % (len(TASK), TASK), TRAILERS),
}


def hard_to_unquote(size: int) -> str:
    """Return a cookie that older patch releases of Python take quadratic time for."""
    return 'pooldeck="x'.ljust(size - 1, "\\") + '"'


def test_uvicorn_has_the_inner_names_that_the_protocol_leans_on() -> None:
    assert STATUS_LINE[408] == b"HTTP/1.1 408 Request Timeout\r\n"
    methods = set(vars(Connection)) & set(vars(HttpToolsProtocol))
    assert methods >= {
        "connection_made",
        "connection_lost",
        "data_received",
        "on_message_begin",
        "on_header",
        "on_headers_complete",
        "on_body",
        "on_message_complete",
    }
    protocol = set(HttpToolsProtocol.__init__.__code__.co_names)
    assert protocol >= {"config", "loop", "transport", "cycle", "pipeline"}
    cycle = set(RequestResponseCycle.__init__.__code__.co_names)
    assert cycle >= {"response_started", "response_complete"}


PATHS = ["/healthz", "/readyz", "/", "/login", "/api/v1/pools", "/static/x", "/nothing"]


def takes_all(connection: socket.socket, piece: bytes) -> bool:
    """Send `piece` again and again; tell whether there was no end to what the server takes."""
    try:
        for _ in range(MUCH // len(piece)):
            connection.sendall(piece)
    except OSError:
        return False
    return True


@pytest.fixture(params=["open", "locked"])
def either(request: pytest.FixtureRequest, server: Served, locked: Served) -> Served:
    """A server without a token, where the app takes the body, and one that refuses the request."""
    return server if request.param == "open" else locked


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("path", [b"/healthz", b"/api/v1/tasks"])
def test_what_frames_a_body_has_a_bound(either: Served, path: bytes, kind: str) -> None:
    start, piece = ENDLESS[kind]
    with connected(either) as connection:
        connection.sendall(b"POST %b HTTP/1.1\r\n" % path + JSON + CHUNKED + start)
        assert not takes_all(connection, piece)


@pytest.mark.parametrize("kind", ENDLESS)
def test_it_has_one_after_the_request_was_refused(locked: Served, kind: str) -> None:
    start, piece = ENDLESS[kind]
    with connected(locked) as connection:
        connection.sendall(POST)
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
        connection.sendall(start)
        assert not takes_all(connection, piece)


def test_who_still_waits_for_an_answer_is_told_why(server: Served) -> None:
    with connected(server) as connection:
        connection.sendall(POST + b"0\r\n")
        takes_all(connection, TRAILERS)
        answer = rest(connection)  # nothing where the rest of what was sent comes in between
    assert answer == b"" or (answer.startswith(b"HTTP/1.1 413 ") and b'"too_large"' in answer)


def test_trailers_are_no_headers_and_do_no_harm(server: Served) -> None:
    trailers = b"Host: evil.example\r\nX: y\r\n" + b"a: b\r\n" * 1000
    whole = POST + b"%x;a=b\r\n%b\r\n0\r\n%b\r\n" % (len(TASK), TASK, trailers)
    with connected(server) as connection:
        for _ in range(2):  # the connection is as good as before
            connection.sendall(whole)
            assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")


def test_a_body_may_come_in_the_smallest_chunks(server: Served) -> None:
    body = TASK + b" " * 400_000
    chunks = b"".join(b"00000001\r\n%c\r\n" % byte for byte in body)
    with connected(server) as connection:
        connection.sendall(POST + chunks + b"0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")


def test_requests_may_follow_each_other_without_waiting_for_answers(server: Served) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    post = (
        b"POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
        + CHUNKED
        + b"1;a\r\nx\r\n0\r\nb: c\r\n\r\n"
    )
    last = get.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with connected(server) as connection:
        sending = threading.Thread(target=connection.sendall, args=((get + post) * 300 + last,))
        sending.start()
        answers = rest(connection)
        sending.join(BOUND)
    assert (answers.count(b" 200 OK"), answers.count(b" 405 Method")) == (301, 300)


def test_a_client_may_wait_for_a_result_and_send_on(server: Served) -> None:
    task = b'{"function": "web_functions.add", "args": [1]}'
    head = b"POST /api/v1/tasks?wait=20 HTTP/1.1\r\n" + JSON
    whole = head + CHUNKED + b"%x\r\n%b\r\n0\r\na: b\r\n\r\n" % (len(task), task)
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(whole + last)
        answers = rest(connection)
    assert (answers.count(b"HTTP/1.1 200 OK"), answers.count(b'"succeeded"')) == (2, 1)


def refused(response: httpx.Response) -> bool:
    assert response.headers["content-type"] == "application/problem+json"
    return (response.status_code, response.json()["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [MAX_BYTES + 1, 60_000])
def test_large_cookies_are_refused_unseen(either: Served, path: str, size: int) -> None:
    value = hard_to_unquote(size)
    assert refused(either.http.get(path, headers={"Cookie": value}))
    assert refused(either.http.post(path, headers={"Cookie": value}))


def test_cookies_are_measured_together(server: Served) -> None:
    half = "x" * (MAX_BYTES // 2 + 1)
    assert refused(server.http.get("/healthz", headers=[("Cookie", half), ("Cookie", half)]))
    twice = server.http.get("/", headers=[("Cookie", "a=b"), ("Cookie", "c=d")])
    assert (twice.status_code, twice.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/healthz", "/login", "/nothing"])
@pytest.mark.parametrize(
    "value", [hard_to_unquote(MAX_BYTES), ";" * MAX_BYTES, "a=b;" * (MAX_BYTES // 4)]
)
def test_cookies_within_the_bound_cost_next_to_nothing(
    locked: Served, path: str, value: str
) -> None:
    def seconds(cookies: str) -> float:
        began = time.perf_counter()
        locked.http.get(path, headers={"Cookie": cookies})
        return time.perf_counter() - began

    plain = min(seconds("x" * MAX_BYTES) for _ in range(9))
    assert min(seconds(value) for _ in range(9)) < 25 * plain


def test_no_cookie_gets_past_the_guard_to_be_unquoted() -> None:
    async def seen(request: Request) -> dict[str, object]:
        return {"cookies": request.cookies, "ours": cookie(request.scope, "pooldeck")}

    app = answering("/healthz", seen)

    async def get() -> httpx.Response:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
            return await client.get("/healthz", headers={"Cookie": "a=b; pooldeck=c"})

    assert asyncio.run(get()).json() == {"cookies": {}, "ours": "c"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"pooldeck=a.b-_=", "a.b-_="),
        (b'other="x\\"y"; pooldeck = a ;pooldeck-language=en', "a"),
        (b"pooldeck=old; pooldeck=a", "a"),
        (b";;=; ;pooldeck=a;", "a"),
        (b"pooldeck", ""),
        (b"pooldecks=a; xpooldeck=b", ""),
        (b"\xff=\x00", ""),
    ],
)
def test_a_cookie_is_found_among_others(header: bytes, value: str) -> None:
    scope = {"headers": [(b"host", b"localhost"), (b"cookie", header)]}
    take_cookies(scope)
    assert cookie(scope, "pooldeck") == value
    assert scope["headers"] == [(b"host", b"localhost")]


@pytest.mark.parametrize(("path", "name"), [("/login", "token"), ("/language", "language")])
def test_the_forms_that_need_no_token_are_small(locked: Served, path: str, name: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = urlencode({name: TOKEN}).encode()

    def status(content: bytes | Iterator[bytes]) -> int:
        url = locked.http.base_url.join(path)  # no client that keeps the cookie
        return httpx.post(
            url, content=content, headers=headers, timeout=BOUND, verify=NO_TLS
        ).status_code

    assert status(form) == 303
    assert status(form + b"&" * 100_000) == 413
    assert status(iter([form, b"&" * 100_000])) in {413, 422}  # FastAPI's word for a broken form
    bearer = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    large = TASK + b" " * 100_000
    assert locked.http.post("/api/v1/tasks", content=large, headers=bearer).status_code == 202


def test_a_content_type_has_a_bound(either: Served) -> None:
    kind = "multipart/form-data" + ";" * 1000
    assert refused(either.http.post("/login", content=b"x", headers={"Content-Type": kind}))

"""What a client sends below HTTP's calls: read in one way only, and at no more than its cost."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.served import BOUND, Served, connected, rest, served
from tests.support.waiting import eventually

SECONDS = 0.4  # what the patient server gives to heads and bodies
TASK = b'{"function": "web_functions.add", "args": [1]}'
HOST = b"Host: localhost\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQA\r\n"
WITH_LENGTH = b"Content-Length: %d\r\n\r\n%b" % (len(TASK), TASK)
IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(TASK), TASK)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"header_seconds": SECONDS, "body_seconds": SECONDS, "streams": 1}
    with served(tmp_path_factory.mktemp("hasty"), limits=limits) as running:
        yield running


def answers(server: Served, *pieces: bytes) -> bytes:
    """Send `pieces` one after the other and return all that comes back."""
    with connected(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # the server closes as soon as it has seen enough
        return rest(connection)


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    problem = json.loads(body)
    assert problem["status"] == int(answer[9:12])
    return problem["status"], problem["code"]


@pytest.mark.parametrize("body", [WITH_LENGTH, IN_CHUNKS])
@pytest.mark.parametrize("is_in_one", [True, False])
def test_a_request_that_offers_http2_keeps_its_body(
    server: Served, body: bytes, is_in_one: bool
) -> None:
    request = b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + H2C + body
    sent = request * 2 + GET.replace(b"\r\n\r\n", b"\r\n" + H2C + b"\r\n") + LAST
    size = len(sent) if is_in_one else 7
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    got = answers(server, *pieces)
    assert (got.count(b" 202 Accepted"), got.count(b" 200 OK")) == (2, 2)


def test_a_tunnel_is_refused(server: Served) -> None:
    got = answers(server, b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n")
    assert code_of(got) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/2.0\r\n" + HOST,
        b"GET /healthz HTTP/0.9\r\n" + HOST,
        b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: gzip, chunked\r\n",
        b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: chunked\r\n" * 2,
        b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: identity\r\n",
        b"POST /api/v1/tasks HTTP/1.0\r\n" + JSON + b"Transfer-Encoding: chunked\r\n",
        b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + b"Content-Length: 1\r\n" * 2,
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET /healthz\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(server: Served, head: bytes) -> None:
    assert code_of(answers(server, head + b"\r\n0\r\n\r\n")) == (400, "malformed_request")


def test_a_request_is_for_one_host(server: Served) -> None:
    own, other = (
        b"GET http://%b/healthz HTTP/1.1\r\nConnection: close\r\n%b\r\n" % (host, HOST)
        for host in (b"localhost", b"evil.example")
    )
    assert answers(server, own).startswith(b"HTTP/1.1 200 ")
    assert code_of(answers(server, other)) == (421, "wrong_host")


@pytest.mark.parametrize("name", ["Content-Type", "Content-Encoding", "Authorization"])
def test_what_decides_stands_once(server: Served, name: str) -> None:
    twice = [("Content-Type", "application/json"), (name, "identity"), (name, "identity")]
    answer = server.http.post("/api/v1/tasks", content=TASK, headers=twice)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


LARGE_HEADS = {
    "one header": HOST + b"X: " + b"x" * 80_000,
    "many headers": HOST + b"a: b\r\n" * 14_000,
    "many more": HOST + b"a: b\r\n" * 40_000,
    "a name": HOST + b"x" * 80_000 + b": y",
}


@pytest.mark.parametrize("kind", LARGE_HEADS)
@pytest.mark.parametrize("before", [b"", GET])
def test_a_head_has_a_bound_wherever_a_read_ends(server: Served, kind: str, before: bytes) -> None:
    head = b"GET /healthz HTTP/1.1\r\n" + LARGE_HEADS[kind] + b"\r\n\r\n"
    got = answers(server, before + head)
    _, refusal, problem = got.rpartition(b"HTTP/1.1 4")
    if refusal:  # it is lost where the rest of what was sent is never read
        assert code_of(refusal + problem) == (431, "headers_too_large")
    assert got.count(b" 200 OK") <= before.count(b"GET")


def test_an_address_has_a_bound(server: Served) -> None:
    got = answers(server, b"GET /healthz?%b HTTP/1.1\r\n%b\r\n" % (b"x" * 80_000, HOST))
    assert got == b"" or code_of(got) == (431, "headers_too_large")


def test_what_comes_before_a_head_is_no_part_of_it(server: Served) -> None:
    body = b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + b"Content-Length: 100000\r\n\r\n"
    large = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 60_000 + b"\r\n\r\n")
    sent = GET * 3000 + body + TASK.ljust(100_000) + large * 3 + LAST
    with connected(server) as connection:
        sending = threading.Thread(target=connection.sendall, args=(sent,))
        sending.start()
        got = rest(connection)
        sending.join(BOUND)
    assert (got.count(b" 200 OK"), got.count(b" 202 Accepted")) == (3004, 1)


def test_half_a_head_does_not_end_what_is_answered_before_it(hasty: Served) -> None:
    body = b'{"function": "web_functions.block"}'
    waiting = b"POST /api/v1/tasks?wait=%g HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
        3 * SECONDS,
        JSON,
        len(body),
        body,
    )
    assert answers(hasty, waiting + GET[:-2]).startswith(b"HTTP/1.1 202 ")
    later = b"POST /api/v1/tasks HTTP/1.1\r\n" + JSON + b"Content-Length: 9\r\n\r\n{"
    got = answers(hasty, waiting + later)
    assert got.startswith(b"HTTP/1.1 202 ")
    assert b"HTTP/1.1 408 " in got


def test_nonsense_does_not_end_what_is_answered_before_it(server: Served) -> None:
    body = b'{"function": "web_functions.echo", "args": [7]}'
    head = b"POST /api/v1/tasks?wait=20 HTTP/1.1\r\n" + JSON
    waiting = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    got = answers(server, waiting + b"\x00nonsense\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b'"result":7' in got
    assert code_of(got[got.index(b"HTTP/1.1 400") :]) == (400, "malformed_request")


def test_blank_lines_after_an_answer_do_not_keep_a_connection(hasty: Served) -> None:
    with connected(hasty) as connection:
        connection.sendall(GET)
        assert b" 200 OK" in connection.recv(65536)
        began = time.monotonic()
        try:
            while time.monotonic() - began < BOUND:
                connection.sendall(b"\r\n")
                time.sleep(SECONDS / 10)  # so slowly that each could be taken for a beginning
        except OSError:
            return
    pytest.fail("the connection is still open")


def test_a_stream_ends_with_its_client_also_if_more_requests_came_behind_it(
    hasty: Served,
) -> None:
    stream = b"GET /api/v1/events HTTP/1.1\r\n" + HOST + b"\r\n"

    def first_line() -> bytes:
        with connected(hasty) as connection:
            connection.sendall(stream + GET)
            return connection.recv(65536).partition(b"\r\n")[0]

    def is_free() -> bool:
        hasty.submit("add", 1, wait=0)  # changes what is shown: a dead reader is noticed
        return b" 200 " in first_line()

    assert b" 200 " in first_line()
    eventually(is_free, "the place of the stream is free again")


def test_nonsense_leaves_one_line_in_the_log(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            assert code_of(answers(server, b"nonsense\r\n\r\n")) == (400, "malformed_request")
    assert len(caplog.records) <= 2


def test_an_address_that_cannot_be_read_is_refused_in_our_words(server: Served) -> None:
    answer = answers(server, b"GET http://a:b/ HTTP/1.1\r\nHost: a:b\r\n\r\n")
    assert code_of(answer) == (400, "malformed_request")
    assert "callback" not in answer.decode()

"""The fuzz would notice: who judges is judged by what is known to be wrong."""

import socket
import sys
from http.client import HTTPException
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.fuzz.judging import complaints, unguarded
from tests.fuzz.sending import Reply
from tests.fuzz.vitals import GROWTH, STALL, Vitals, watched
from tests.fuzz.wire import replies
from tests.support.programs import started
from tests.support.waiting import eventually

SLEEPS = "time.sleep(%s)"
COMPUTES = "until = time.thread_time() + %s\n    while time.thread_time() < until: pass"
KEEPS = "kept.append(b'x' * %s)"
ANSWERS = 3  # for as many the judge watches: it has begun before the second
SERVER = """
import contextlib, socket, time
listener = socket.create_server(("127.0.0.1", {port}))
kept = []
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    {does}
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    connection.close()
    print("answered", flush=True)
"""
needs_schedstat = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="waits are judged by /proc/PID/schedstat"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def seen_of(does: str) -> Vitals:
    """Watch a server that does something before each answer."""
    port = free_port()
    program = SERVER.format(port=port, does=does)
    with started([sys.executable, "-c", program], stdout=PIPE, text=True) as process:
        eventually(lambda: listens(port), "it listens")
        assert process.stdout is not None
        assert process.stdout.readline()  # to the question whether it listens
        with watched(port, process.pid) as vitals:
            for _ in range(ANSWERS):
                assert process.stdout.readline()
        return vitals


@needs_schedstat
@pytest.mark.parametrize("does", [SLEEPS, COMPUTES])
def test_a_server_that_lets_others_wait_is_found_out(does: str) -> None:
    assert seen_of(does % (4 * STALL)).stalls()


@needs_schedstat
def test_one_that_does_not_is_not_blamed() -> None:
    assert seen_of(SLEEPS % 0).stalls() == []


@needs_schedstat
def test_memory_that_is_kept_is_seen() -> None:
    assert seen_of(KEEPS % (2 * GROWTH)).grown > GROWTH


PROBLEM = {"content-type": "application/problem+json"}


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        (Reply(500, PROBLEM, b'{"status": 500, "code": "internal"}'), "a defect"),
        (Reply(404, {"content-type": "text/plain"}, b"no"), "as text/plain"),
        (Reply(404, {"content-type": "text/html"}, b"no"), "as text/html"),
        (Reply(404, PROBLEM, b'{"status": 200, "code": "x"}'), "without its status"),
        (Reply(303, {"location": "//evil.example"}, b""), "leads away"),
        (Reply(303, {"location": "/\\evil.example"}, b""), "leads away"),
        (Reply(303, {"location": "https://evil.example"}, b""), "leads away"),
    ],
)
def test_a_wrong_answer_is_seen(reply: Reply, part: str) -> None:
    assert any(part in line for line in complaints(reply, to_program=True))


def test_missing_headers_are_seen() -> None:
    assert len(list(unguarded(Reply(200, {"x-content-type-options": "nosniff"}, b"")))) == 5


def test_answers_are_told_apart() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    chunked = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    to_head = b"HTTP/1.1 405 No\r\nContent-Length: 9\r\n\r\n"
    found = replies(one + chunked + to_head + one, may_lack_bodies=True)
    assert [each.status for each in found] == [200, 404, 405, 200]


@pytest.mark.parametrize("received", [b"hello", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"])
def test_what_is_no_answer_is_seen(received: bytes) -> None:
    with pytest.raises(HTTPException):
        replies(received, may_lack_bodies=True)

"""Connections that misbehave, and the server's start and end."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.main import create_app
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.server import listen, serve
from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.served import BOUND, Served, connected, rest, served

SECONDS = 0.4  # what the server here gives to headers, and to a body
POST = b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"header_seconds": SECONDS, "body_seconds": SECONDS, "body_bytes": 4096}
    with served(tmp_path_factory.mktemp("strict"), limits=limits) as running:
        yield running


def trickle(connection: socket.socket, piece: bytes) -> None:
    """Send `piece` again and again until the server has closed the connection."""
    closed = threading.Event()

    def send() -> None:
        try:
            while not closed.wait(SECONDS / 10):
                connection.sendall(piece)
        except OSError:
            return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        rest(connection)
    finally:
        closed.set()
        thread.join(BOUND)


def test_a_silent_connection_is_closed(strict: Served) -> None:
    with connected(strict) as connection:
        assert rest(connection) == b""


@pytest.mark.parametrize("start", [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b""])
@pytest.mark.parametrize("piece", [b"x", b"\r\n"])
def test_trickled_headers_do_not_keep_a_connection(
    strict: Served, start: bytes, piece: bytes
) -> None:
    with connected(strict) as connection:
        connection.sendall(start)
        trickle(connection, piece)


def test_a_later_request_has_its_own_deadline(strict: Served) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(strict) as connection:
        connection.sendall(whole)
        assert b"200 OK" in connection.recv(65536)
        connection.sendall(whole[:-2])
        trickle(connection, b"X: y\r\n")


def test_a_late_body_is_answered_and_the_connection_closed(strict: Served) -> None:
    with connected(strict) as connection:
        connection.sendall(POST + b"Content-Length: 100\r\n\r\n{")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer


def test_a_trickled_body_that_nobody_reads_is_cut_off(strict: Served) -> None:
    with connected(strict) as connection:
        connection.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n"
        )
        trickle(connection, b"x")


def test_a_body_that_says_it_is_too_large_is_not_read(strict: Served) -> None:
    with connected(strict) as connection:
        connection.sendall(POST + b"Content-Length: 300000000\r\n\r\n")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_body_that_grows_too_large_is_cut_off(strict: Served) -> None:
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with connected(strict) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4)
        connection.sendall(chunk)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_the_first_page_answers_those_who_only_look_whether_it_is_there(server: Served) -> None:
    answer = server.http.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert server.http.get("/").text.startswith("<!doctype html>")


def test_a_body_may_come_in_pieces(server: Served) -> None:
    body = b'{"function": "web_functions.add", "args": [1]}'
    with connected(server) as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")


def test_headers_have_a_bound(strict: Served) -> None:
    with connected(strict) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        try:
            connection.sendall(b"x" * 1_000_000)
        except OSError:
            return  # it was closed before all was sent
        assert rest(connection)[:13] in {b"HTTP/1.1 431 ", b""}


def test_a_client_that_goes_away_is_no_error(
    strict: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(strict) as connection:
        connection.sendall(POST + b"Content-Length: 100\r\n\r\n{")
    assert strict.http.get("/healthz").status_code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_deadline_does_not_end_a_slow_answer(strict: Served) -> None:
    began = time.monotonic()
    response = strict.submit("block", wait=3 * SECONDS)
    assert response.status_code == 202
    assert time.monotonic() - began >= 3 * SECONDS


def test_an_address_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartupError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
            listen("127.0.0.1", port)
        assert str(caught.value).count("127.0.0.1") == 1
        assert "choose another port by --port" in str(caught.value)
        settings = Settings(port=port, data=tmp_path / "data")
        with pytest.raises(StartupError, match="cannot listen"):
            serve(create_app(settings), settings)
    assert not (tmp_path / "data").exists()


def test_why_the_app_cannot_start_reaches_the_caller_and_is_said_by_nobody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pooldeck.sqlite3").write_bytes(b"this is no database" * 100)
    settings = Settings(port=0, data=tmp_path)
    with pytest.raises(StartupError, match="no database"):
        serve(create_app(settings), settings)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_open_streams_and_then_the_server(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [
        sys.executable,
        "-m",
        "pooldeck_server",
        "serve",
        "--port",
        "0",
        "--data",
        str(tmp_path),
    ]
    with started(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "http://" in line)
        url = said[said.index("http://") :].strip()
        with httpx.stream("GET", f"{url}/api/v1/events", timeout=BOUND, verify=NO_TLS) as stream:
            parts = stream.iter_raw()
            next(parts)
            process.send_signal(number)
            try:
                for _ in parts:
                    pass
            except httpx.HTTPError as error:  # what the server says of it tells more
                error.add_note(process.stderr.read())
                raise
        assert process.wait(BOUND) == 0

"""Who may ask, from where, by which name."""

import itertools
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from fastapi.routing import iter_route_contexts

from pooldeck_server.web.http.application import Application
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.served import Served

OPEN = {"/healthz", "/readyz"}
FOR_LOGGING_IN = {"/login", "/login/oidc", "/login/oidc/callback", "/language"}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def every_call(app: Application) -> Iterator[tuple[str, str]]:
    """Yield method and path of each route, with something in place of its parameters."""
    for route in iter_route_contexts(app.load().routes):
        for method in route.methods or {"GET"}:
            yield method, re.sub(r"\{[^}]*\}", "x", route.path or "")


def status(
    server: Served, method: str, path: str, headers: dict[str, str], host: str | None = "localhost"
) -> int:
    """Ask with exactly these headers, and return the status of the answer."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    if host is not None:
        connection.putheader("Host", host)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_every_route_asks_for_a_known_host(server: Served) -> None:
    calls = [call for call in every_call(server.app) if call[1] not in OPEN]
    assert len(calls) > 25
    for (method, path), host in itertools.product(calls, ["evil.example", "evil.example:80"]):
        assert status(server, method, path, {}, host) == 421, (method, path)


def test_every_route_asks_for_credentials(locked: Served) -> None:
    calls = [call for call in every_call(locked.app) if call[1] not in OPEN | FOR_LOGGING_IN]
    assert len(calls) > 25
    wrong = [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "pooldeck=deck.forged.signature"}]
    for (method, path), headers in itertools.product(calls, wrong):
        if path.startswith("/static"):
            continue
        is_page = method == "GET" and not path.startswith(("/api/", "/metrics", "/openapi.json"))
        refusals = {303 if is_page else 401, 429}  # the last after many wrong tokens
        assert status(locked, method, path, headers) in refusals, (method, path, headers)


def test_every_write_refuses_another_origin(locked: Served) -> None:
    writes = [call for call in every_call(locked.app) if call[0] in WRITES]
    assert len(writes) > 8
    hostile = [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for (method, path), headers in itertools.product(writes, hostile):
        with_token = headers | {"Authorization": f"Bearer {TOKEN}"}
        assert status(locked, method, path, with_token) == 403, (method, path, headers)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://LOCALHOST"}, {"Sec-Fetch-Site": "same-origin"}],
)
def test_a_write_from_here_passes(server: Served, headers: dict[str, str]) -> None:
    assert status(server, "POST", "/api/v1/tasks", headers) == 415


@pytest.mark.parametrize("host", ["localhost", "LocalHost:1", "127.0.0.1:9", "[::1]", "[::1]:80"])
def test_loopback_names_pass_with_any_port(server: Served, host: str) -> None:
    assert status(server, "GET", "/api/v1/pools", {}, host) == 200


@pytest.mark.parametrize(
    "host",
    [None, "", "localhost.evil.example", "evil@localhost", "localhost:port", "localhost/x", "::1"],
)
def test_a_missing_or_malformed_host_is_refused(server: Served, host: str | None) -> None:
    assert status(server, "GET", "/api/v1/pools", {}, host) == 421


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization", "Sec-Fetch-Site"])
def test_a_header_that_decides_may_stand_only_once(server: Served, name: str) -> None:
    request = f"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n{name}: localhost\r\n"
    request += "" if name == "Host" else f"{name}: localhost\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"{request}Content-Length: 0\r\n\r\n".encode())
        answer = connection.recv(1000)
    assert int(answer.split()[1]) in {421, 422}


@pytest.mark.parametrize("path", sorted(OPEN))
def test_probes_need_neither_name_nor_token(locked: Served, path: str) -> None:
    assert status(locked, "GET", path, {}, "10.0.0.7:8000") == 200


def test_the_token_opens_the_api(locked: Served) -> None:
    bearer = {"Authorization": f"bearer {TOKEN}"}
    assert status(locked, "GET", "/api/v1/pools", bearer) == 200
    assert status(locked, "GET", "/metrics", bearer) == 200
    assert status(locked, "GET", "/", bearer) == 200


def test_what_a_program_is_refused_says_how_to_do_it(locked: Served) -> None:
    response = locked.http.get("/api/v1/pools")
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/pools", "/api/v1/nothing", "/nothing"])
def test_every_answer_carries_the_safety_headers(server: Served, path: str) -> None:
    headers = server.http.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_static_files_are_kept_by_browsers(server: Served) -> None:
    folder = server.app.state.static_path
    assert "immutable" in server.http.get(f"{folder}/img/favicon.svg").headers["cache-control"]
    assert server.http.get(f"{folder}/nothing.js").headers["cache-control"] == "no-store"

"""The table of rules against the routes that there are: who gets to which, and by no other way.

The guard is asked in memory, with an application behind it that only says that it was reached: so
each route is tried with each role, each wrong credential, name and origin, in a few seconds.
"""

import gc
import itertools
import socket
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.types import Message, Receive, Scope, Send

from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.domain.tokens import TokenRequest
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.guard import Guard
from pooldeck_server.web.http.protocol.peer import PEER, Peer
from pooldeck_server.web.http.requests import Requests
from pooldeck_server.web.http.rules import RULES, RouteRule, may, rules_at
from pooldeck_server.web.http.wrong_tokens import WrongTokens
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support import other_users
from tests.support.other_users import needs_root
from tests.support.served import Served, served

REACHED = 299
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X-NEW")
OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/login"), ("POST", "/login")}
OF_ONES_OWN_BROWSER = {"/logout", "/tasks/columns", "/time-zone"}  # kept nowhere else
OPEN |= {("POST", "/language"), ("GET", "/login/oidc"), ("GET", "/login/oidc/callback")}
NOBODY_CHANGES = {"GET", "HEAD"}
ONLY_READ = ("/api/v1/watches",)  # by a body, since ids are many
ROLES = {
    "viewer": TokenRequest("viewer", Role.VIEWER),
    "reader": TokenRequest("reader", Role.VIEWER, values=True),
    "operator": TokenRequest("operator", Role.OPERATOR),
    "limited": TokenRequest("limited", Role.OPERATOR, functions=("web_functions.add",)),
    "admin": TokenRequest("admin", Role.ADMIN),
}


@dataclass
class Door:
    """A guard with nothing behind it, in front of a real server's tokens and sessions."""

    server: Served
    tokens: Mapping[str, str]

    def __post_init__(self) -> None:
        self._guard = Guard(reached, self.server.settings, WrongTokens(), Requests())

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        kind: str = "http",
        peer: Peer | None = None,
    ) -> int:
        """Return the status of the answer; `REACHED` where the application gives it.

        `peer` is who is at the other end of the connection, if that is known.
        """
        given = {"host": "localhost"} | dict(headers or {})
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        scope = {
            "type": kind,
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": raw,
            "scheme": "http",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "http_version": "1.1",
            "app": self.server.app,
            "state": {},
        }
        if peer is not None:
            scope[PEER] = peer
        said: list[Message] = []

        async def send(message: Message) -> None:
            said.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        finish(self._guard(scope, receive, send))
        return int(said[0].get("status", said[0].get("code", 0)))

    def as_(self, name: str, method: str, path: str) -> int:
        return self.ask(method, path, {"authorization": f"Bearer {self.tokens[name]}"})


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing, without a loop."""
    with suppress(StopIteration):
        work.send(None)
        raise AssertionError("the guard waited for something")


async def reached(scope: Scope, _: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": REACHED, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    data: Path = tmp_path_factory.mktemp("ruled")
    with served(data, token=TOKEN, access="tokens") as server:
        tokens = {"owner": TOKEN}
        for name, wanted in ROLES.items():
            body: dict[str, Any] = {
                field: getattr(wanted, field) for field in wanted.__struct_fields__
            }
            answer = server.http.post(
                "/api/v1/tokens", json=body, headers={"Authorization": f"Bearer {TOKEN}"}
            )
            assert answer.status_code == 201, answer.text
            tokens[name] = answer.json()["secret"]
        yield Door(server, tokens)


def routes(app: Application) -> set[tuple[str, str]]:
    """Return method and template of each route."""
    return {
        (method, route.path or "")
        for route in iter_route_contexts(app.load().routes)
        for method in route.methods or ()
        if not (route.path or "").startswith("/static")
    }


def filled(template: str) -> str:
    return template.replace("{", "").replace("}", "")


CALLS = sorted((method, template) for template, rules in RULES.items() for method in rules)


def test_each_route_has_a_row_and_each_row_a_route(door: Door) -> None:
    rows = {(method, template) for template, rules in RULES.items() for method in rules}
    assert routes(door.server.app) == rows


def test_the_matcher_finds_at_least_the_row_of_each_route() -> None:
    for method, template in CALLS:
        assert RULES[template][method] in rules_at(filled(template))[method], template


def test_nothing_but_the_login_and_the_probes_is_open(door: Door) -> None:
    wrong: list[dict[str, str]] = [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"cookie": f"pooldeck={TOKEN}"},
        {"cookie": "pooldeck=forged", "x-forwarded-user": "admin"},
    ]
    tried = 0
    for (method, template), headers in itertools.product(CALLS, wrong):
        if (method, template) not in OPEN:
            status = door.ask(method, filled(template), headers)
            assert status in {303, 401, 429}, (method, template, headers)
            tried += 1
    assert tried > 800


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server without a token, which is for its own user."""
    with served(tmp_path_factory.mktemp("local")) as server:
        yield Door(server, {})


@contextmanager
def connected(connect: Callable[[str], AbstractContextManager[Any]]) -> Iterator[Peer]:
    """Give the other end of a connection to this machine, which `connect` opens."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        connect(str(listener.getsockname()[1])),
        listener.accept()[0] as near,
    ):
        yield Peer(near, lambda: False)


def as_this_user(port: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(port)))


def as_another_user(port: str) -> AbstractContextManager[Any]:
    program = "kept = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.stdin.read()"
    return other_users.running(program, port)


def test_without_a_token_its_own_user_reaches_all(local: Door) -> None:
    with connected(as_this_user) as peer:
        for method, template in CALLS:
            assert local.ask(method, filled(template), peer=peer) == REACHED, (method, template)


@needs_root
def test_without_a_token_another_user_reaches_nothing(local: Door) -> None:
    with connected(as_another_user) as peer:
        refused_on_all_routes(local, {}, peer)


@pytest.mark.parametrize("headers", [{"via": "1.1 x"}, {"authorization": "Bearer wrong"}])
def test_without_a_token_nothing_is_reached_by_a_proxy_or_with_a_wrong_one(
    local: Door, headers: dict[str, str]
) -> None:
    with connected(as_this_user) as peer:
        refused_on_all_routes(local, headers, peer)


def test_without_a_token_nothing_is_reached_by_whom_nobody_knows(local: Door) -> None:
    refused_on_all_routes(local, {}, None)
    refused_on_all_routes(local, {}, Peer(None, lambda: False))


def refused_on_all_routes(door: Door, headers: dict[str, str], peer: Peer | None) -> None:
    for method, template in CALLS:
        if (method, template) not in OPEN:
            status = door.ask(method, filled(template), headers, peer=peer)
            assert status in {303, 401, 429}, (method, template)


@pytest.mark.parametrize("name", ROLES)
def test_each_role_reaches_what_its_rules_say_and_nothing_else(door: Door, name: str) -> None:
    principal = Principal(
        name=name,
        role=ROLES[name].role,
        values=ROLES[name].values or ROLES[name].role is not Role.VIEWER,
        functions=ROLES[name].functions,
    )
    for method, template in CALLS:
        path = filled(template)
        status = door.as_(name, method, path)
        if name == "limited" and method in {"GET", "HEAD"} and path == "/":
            assert status == 303  # to its tasks
        else:
            assert status == (REACHED if may(method, path, principal) else 403), (method, path)


def test_the_promises_of_the_roles_hold_whatever_the_table_says(door: Door) -> None:
    for method, template in CALLS:
        path = filled(template)
        is_open = (method, path) in OPEN or path in OF_ONES_OWN_BROWSER
        changes = method not in NOBODY_CHANGES and not path.startswith(ONLY_READ)
        if changes and not is_open:
            assert door.as_("viewer", method, path) == 403, (method, path)
            assert door.as_("reader", method, path) == 403, (method, path)
        if "token" in path and "login" not in path:
            assert door.as_("operator", method, path) == 403, (method, path)
        telling = ("log", "stack", "error", "incident", "shared", "json", "experiment", "pipeline")
        if any(word in path for word in telling) and not is_open and method == "GET":
            shows_no_values = path in {"/openapi.json", "/complete.json", "/timeline.json"}
            assert shows_no_values or door.as_("viewer", method, path) == 403, path
        assert door.as_("admin", method, path) == REACHED, (method, path)
        assert door.as_("owner", method, path) == REACHED, (method, path)


def test_no_method_that_a_row_forgets_reaches_the_application(door: Door) -> None:
    for template, method in itertools.product(RULES, METHODS):
        path = filled(template)
        if method not in rules_at(path):
            assert door.as_("admin", method, path) == 405, (method, path)
            assert door.ask(method, path) in {303, 401}, (method, path)


ENDINGS: tuple[str, ...] = (
    *("/healthz", "/readyz", "/login", "/health", "/ready", ";/healthz", "/../healthz", "/."),
    *("//healthz", "%2fhealthz", "/static/x", "?/healthz", "#/healthz", "\n", " ", "/x.js"),
)


def test_no_ending_or_beginning_of_a_path_opens_it(door: Door) -> None:
    """As CVE-2026-3514: what ended in "health" or "ready" needed no credentials."""
    beginnings = ("/healthz/..", "/healthz/../..", "/login/..", "/static/..", "//", "/HEALTHZ")
    odd = [(filled(template), "", end) for template in RULES for end in ENDINGS]
    odd += [(filled(template), begin, "") for template in RULES for begin in beginnings]
    for path, begin, end in odd:
        for method in ("GET", "DELETE"):
            assert door.ask(method, f"{begin}{path}{end}") in {303, 401}, (method, begin, path, end)
            assert door.as_("viewer", "DELETE", f"{begin}{path}{end}") != REACHED, path


def test_a_line_break_at_the_end_leads_to_nothing(door: Door) -> None:
    """The router's own expressions overlook it, and would find another route than the rules."""
    for _, template in CALLS:
        assert door.as_("admin", "GET", f"{filled(template)}\n") in {404, 405}


def test_a_slash_at_the_end_asks_for_as_much_as_the_route_without(door: Door) -> None:
    for method, template in CALLS:
        path = filled(template).rstrip("/") + "/"
        if door.as_("viewer", method, filled(template)) == 403:
            assert door.as_("viewer", method, path) == 403, (method, path)


def test_nothing_is_a_websocket(door: Door) -> None:
    """As CVE-2026-7723: an upgrade that no check stood before."""
    for template in RULES:
        for headers in ({}, {"authorization": f"Bearer {TOKEN}"}):
            assert door.ask("GET", filled(template), headers, kind="websocket") == 1008


def test_other_names_and_origins_are_refused_to_everybody(door: Door) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for method, template in CALLS:
        path = filled(template)
        if path not in {"/healthz", "/readyz"}:
            for host in ("evil.example", "", "localhost.evil.example", "evil@localhost"):
                assert door.ask(method, path, bearer | {"host": host}) == 421, (method, path)
        if method not in NOBODY_CHANGES:
            for origin in ("http://evil.example", "null", "http://localhost:1"):
                headers = bearer | {"origin": origin}
                assert door.ask(method, path, headers) == 403, (method, path, origin)


def test_a_route_without_a_row_cannot_be_reached(door: Door) -> None:
    assert door.as_("admin", "GET", "/api/v1/brand-new") == 404
    assert door.as_("admin", "POST", "/api/v1/pools/x/brand-new") == 404


def test_a_path_that_fits_two_rows_needs_what_both_ask() -> None:
    viewer = Principal(name="v", role=Role.VIEWER, values=True)
    assert may("GET", "/tasks/abc", viewer)
    assert not may("GET", "/tasks/cancel", viewer)


def test_a_row_is_closed_to_those_who_see_a_part_unless_it_says_otherwise() -> None:
    rule = RouteRule(Role.VIEWER)
    assert not rule.allows(Principal(name="v", role=Role.VIEWER, values=False))
    assert not rule.allows(Principal(name="l", role=Role.OPERATOR, pools=("io",)))
    assert rule.allows(Principal(name="r", role=Role.VIEWER))


def test_a_refusal_says_which_role_is_needed(door: Door) -> None:
    answer = door.server.http.post(
        "/api/v1/pools/cpu/drain", headers={"Authorization": f"Bearer {door.tokens['viewer']}"}
    )
    assert answer.status_code == 403
    assert answer.json()["detail"] == "this needs the role operator, and viewer has the role viewer"
    page = door.server.http.get(
        "/tokens",
        headers={"Authorization": f"Bearer {door.tokens['viewer']}", "Accept": "text/html"},
    )
    assert page.status_code == 403
    assert "This needs the role admin" in page.text


def test_long_paths_of_strangers_leave_nothing_behind(door: Door) -> None:
    size = 20_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(300):
            assert door.ask("GET", f"/api/{number}/{size * 'x'}") == 401
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 100 * size

"""What proxies say of requests, and whom the server believes."""

from typing import Any

import pytest

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.proxies import Proxies

Headers = list[tuple[str, str]]
OURS = Settings(trusted_proxies="127.0.0.1,10.0.0.0/8,::1")  # as by variable


def request(headers: Headers, peer: str = "127.0.0.1", path: str = "/tasks") -> Any:
    """Return a request as the server gets it."""
    raw = [(b"host", b"upstream:8000")]
    raw += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {
        "client": (peer, 4242),
        "scheme": "http",
        "headers": raw,
        "path": path,
        "root_path": "",
    }


def followed(headers: Headers, peer: str = "127.0.0.1", settings: Settings = OURS) -> Any:
    """Return what is known of a request from `peer` with these headers."""
    scope = request(headers, peer)
    Proxies(settings).follow(scope)
    return scope


def host(scope: Any) -> bytes:
    [found] = [value for name, value in scope["headers"] if name == b"host"]
    assert isinstance(found, bytes)
    return found


ALL: Headers = [
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "deck.example"),
    ("X-Forwarded-Prefix", "/deck"),
]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.255.3.2", "::1", "::ffff:127.0.0.1"])
def test_a_listed_proxy_is_believed(peer: str) -> None:
    scope = followed(ALL, peer)
    assert scope["client"][0] == "192.0.2.7"
    assert scope["scheme"] == "https"
    assert host(scope) == b"deck.example"
    assert (scope["root_path"], scope["path"]) == ("/deck", "/deck/tasks")


@pytest.mark.parametrize("peer", ["127.0.0.2", "192.0.2.1", "::2", ""])
def test_nobody_else_is_believed(peer: str) -> None:
    scope = followed(ALL, peer)
    assert scope["client"] == (peer, 4242)
    assert scope["scheme"] == "http"
    assert host(scope) == b"upstream:8000"
    assert (scope["root_path"], scope["path"]) == ("", "/tasks")


def test_without_a_setting_loopback_is_not_believed_either() -> None:
    assert followed(ALL, settings=Settings())["client"] == ("127.0.0.1", 4242)


def test_a_proxy_that_is_not_listed_is_told_of_once_with_what_to_write(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxies = Proxies(OURS)
    for _ in range(3):
        proxies.follow(request(ALL, "192.0.2.1"))
    [line] = caplog.messages
    assert 'trusted_proxies = ["192.0.2.1"]' in line


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7"], "192.0.2.7"),  # the first is what a client claims to be
        (["203.0.113.9", "192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7, 10.0.0.3, 10.0.0.4"], "192.0.2.7"),
        (["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7:1234"], "192.0.2.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["[2001:db8::7]:1234"], "2001:db8::7"),
        (["192.0.2.7, unknown"], "127.0.0.1"),
        (["192.0.2.7, _hidden, 10.0.0.3"], "10.0.0.3"),
        (["10.0.0.3"], "10.0.0.3"),
        ([""], "127.0.0.1"),
        ([","], "127.0.0.1"),
    ],
)
def test_the_client_is_the_last_of_a_chain_that_is_no_proxy(chain: list[str], client: str) -> None:
    scope = followed([("X-Forwarded-For", each) for each in chain])
    assert scope["client"][0] == client


def test_a_proxy_that_leaves_the_scheme_empty_has_said_none() -> None:
    assert followed([("X-Forwarded-Proto", "")])["scheme"] == "http"


def test_of_several_values_counts_what_the_nearest_proxy_has_added() -> None:
    twice = [(name, value) for name, value in ALL if name != "X-Forwarded-For"]
    forged = [
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Host", "evil.example, other.example"),
        ("X-Forwarded-Prefix", "//elsewhere"),
    ]
    scope = followed([*forged, *twice])
    assert (scope["scheme"], host(scope)) == ("https", b"deck.example")
    assert scope["root_path"] == "/deck"


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-Prefix", "//elsewhere"),
        ("X-Forwarded-Prefix", "/.."),
        ("X-Forwarded-Prefix", "https://elsewhere"),
        ("X-Forwarded-Prefix", '/"onload="'),
        ("X-Forwarded-Prefix", "/\\elsewhere"),
        ("X-Forwarded-Prefix", "/de\x01ck"),
        ("X-Forwarded-Proto", "wss"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(header: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest, match=header[0]):
        followed([header])


def test_a_request_that_names_two_hosts_still_does() -> None:
    scope = followed([("Host", "other"), ("X-Forwarded-Host", "deck.example")])
    assert [name for name, _ in scope["headers"]].count(b"host") == 2


@pytest.mark.parametrize(
    ("path", "own", "forwarded", "known"),
    [
        ("/tasks", "", None, ("", "/tasks")),
        ("/deck/tasks", "/deck", None, ("/deck", "/deck/tasks")),  # the proxy has left it
        ("/tasks", "/deck", None, ("/deck", "/deck/tasks")),  # the proxy has taken it away
        ("/deck", "/deck", None, ("/deck", "/deck/")),
        ("/decks", "/deck", None, ("/deck", "/deck/decks")),
        ("/tasks", "/deck", "/other", ("/other", "/other/tasks")),
        ("/deck/tasks", "/deck", "/deck", ("/deck", "/deck/tasks")),
        ("/tasks", "/deck", "/", ("", "/tasks")),
        ("/tasks/1", "", "/tasks", ("/tasks", "/tasks/tasks/1")),
    ],
)
def test_a_prefix_is_set_or_forwarded(
    path: str, own: str, forwarded: str | None, known: tuple[str, str]
) -> None:
    settings = OURS.model_copy(update={"root_path": own})
    scope = request([] if forwarded is None else [("X-Forwarded-Prefix", forwarded)], path=path)
    Proxies(settings).follow(scope)
    assert (scope["root_path"], scope["path"]) == known

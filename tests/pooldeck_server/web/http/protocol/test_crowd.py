"""Connections have a number, and a client that takes all of them keeps nobody out."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pooldeck_server.web.http.protocol.crowd import Crowd, network
from tests.support.served import BOUND, Served, rest, served

MOST = 16
MOST_OF_ONE = 8
SLOW = (
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"
)
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CROWD, OTHERS = ("127.0.0.2", "127.0.0.3"), "127.0.0.4"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Served]:
    limits = {"connections": MOST, "connections_per_address": MOST_OF_ONE}
    with served(tmp_path, limits=limits) as running:
        yield running


class Clients:
    """Connections from addresses of choice, all closed in the end."""

    def __init__(self, server: Served, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack

    def connect(self, address: str, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(
            ("127.0.0.1", self._server.port), timeout=BOUND, source_address=(address, 0)
        )
        self._stack.enter_context(connection)
        connection.sendall(sent)
        return connection

    def get(self, address: str) -> bytes:
        """Return what a client at `address` is answered."""
        return rest(self.connect(address, GET))

    def occupy(self, address: str) -> socket.socket:
        """Return a connection whose request is being served, and stays so."""
        connection = self.connect(address, SLOW)
        assert b" 100 Continue" in connection.recv(65536)
        return connection


@pytest.fixture
def clients(small: Served) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(small, stack)


def test_who_is_silent_makes_room_for_who_comes(clients: Clients) -> None:
    silent = [clients.connect(address) for address in CROWD * MOST]
    assert b" 200 OK" in clients.get(OTHERS)
    assert b" 200 OK" in clients.get(CROWD[0])
    assert rest(silent[0]) == b""


def test_one_address_may_have_a_part_of_them(clients: Clients) -> None:
    busy = [clients.occupy(CROWD[0]) for _ in range(MOST_OF_ONE)]
    refusal = rest(clients.connect(CROWD[0]))
    head, _, body = refusal.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"content-type: application/problem+json" in head
    assert b"retry-after: " in head
    assert json.loads(body)["code"] == "too_many_connections"
    assert b" 200 OK" in clients.get(OTHERS)
    busy.pop().close()
    while b" 200 OK" not in clients.get(CROWD[0]):  # until the server has seen it go
        pass


def test_when_all_are_served_no_more_are_taken(clients: Clients) -> None:
    for address in CROWD * MOST_OF_ONE:
        clients.occupy(address)
    assert clients.get(OTHERS).startswith(b"HTTP/1.1 503 ")


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """Lower the limit of descriptors of this process while a test runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = 512
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
    yield few
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_are_left_for_all_else(few_descriptors: int) -> None:
    crowd = Crowd(10_000, 10_000)
    admitted = [Guest(f"address {number}") for number in range(few_descriptors)]
    for each in admitted:
        assert crowd.admit(each)
        crowd.waits(each)
    assert sum(not each.is_gone for each in admitted) == 3 * few_descriptors // 4


class Guest:
    def __init__(self, address: str) -> None:
        self.address = address
        self.is_gone = False

    def give_way(self) -> None:
        self.is_gone = True


def test_the_one_that_waits_longest_goes_first() -> None:
    crowd = Crowd(3, 3)  # of which one address may have two
    first, second = Guest("a"), Guest("a")
    assert all(crowd.admit(each) for each in (first, second))
    crowd.is_served(first)
    crowd.waits(first)
    assert crowd.admit(Guest("a"))
    assert (first.is_gone, second.is_gone) == (False, True)


def test_it_is_one_of_those_that_have_too_many() -> None:
    crowd = Crowd(4, 4)
    other, guests = Guest("b"), [Guest("a") for _ in range(3)]
    assert all(crowd.admit(each) for each in [other, *guests])
    assert crowd.admit(Guest("a"))
    assert ([each.is_gone for each in guests], other.is_gone) == ([True, False, False], False)


def test_who_was_refused_or_has_left_does_not_count() -> None:
    crowd = Crowd(1, 1)
    served, refused = Guest("a"), Guest("b")
    assert crowd.admit(served)
    crowd.is_served(served)
    assert not crowd.admit(refused)
    crowd.leave(refused)
    assert not crowd.admit(refused)
    crowd.leave(served)
    crowd.leave(served)
    assert crowd.admit(refused)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::1", True),
    ],
)
def test_an_address_of_ipv6_counts_as_its_network(one: str, other: str, is_same: bool) -> None:
    assert (network(one) == network(other)) is is_same

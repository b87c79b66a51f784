"""Answers leave with one system call, whole and in order; nobody waits for ever for a reader."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import cast

import psutil
import pytest

from pooldeck_server.web.http.protocol.writing import CoalescingTransport
from tests.support.served import BOUND, Served, rest, served
from tests.support.waiting import eventually


class _Recording:
    """What a transport does here: it keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.told

    def get_extra_info(self, name: str, default: object = None) -> object:
        return name or default

    def pause_reading(self) -> None:
        self.told.append("paused")


def _corked() -> tuple[_Recording, CoalescingTransport]:
    transport = _Recording()
    return transport, CoalescingTransport(
        cast("asyncio.Transport", transport), lambda _: transport.told.append("heard of")
    )


def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.write(b"head ")
        corked.write(b"body")
        assert transport.told == []
        await asyncio.sleep(0)
        corked.write(b"next")
        await asyncio.sleep(0)
        return transport.told

    assert asyncio.run(told()) == [b"head body", b"next"]


def test_an_answer_that_is_whole_is_sent_in_the_same_turn_and_once() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.write(b"head ")
        corked.write(b"body")
        corked.flush()
        assert transport.told == [b"head body"]
        await asyncio.sleep(0)
        return transport.told

    assert asyncio.run(told()) == [b"head body"]


def test_a_close_sends_what_was_written_first() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.write(b"last words")
        corked.close()
        await asyncio.sleep(0)
        return transport.told

    assert asyncio.run(told()) == [b"last words", "closed", "heard of"]


def test_all_else_is_the_transports_own() -> None:
    async def told() -> list[bytes | str]:
        transport, corked = _corked()
        corked.pause_reading()
        assert corked.get_extra_info("peername") == "peername"
        assert not corked.is_closing()
        return transport.told

    assert asyncio.run(told()) == ["paused"]


SIZE = 6_000_000  # bytes of an answer: more than the buffers of two sockets hold
PACE = 1.0  # seconds that a reader may take nothing


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"write_seconds": PACE}
    with served(tmp_path_factory.mktemp("hasty"), limits=limits) as running:
        yield running


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"unread_bytes": 2 * SIZE}
    with served(tmp_path_factory.mktemp("narrow"), limits=limits) as running:
        yield running


@contextmanager
def reader(server: Served, path: str) -> Iterator[socket.socket]:
    """A client that has asked for something, and takes little as long as it does not read."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(BOUND)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield connection


def large_answer(server: Served) -> str:
    """Return the path of an answer that is larger than what buffers hold."""
    task = server.submit("repeat", "x", SIZE).json()
    return f"/tasks/{task['id']}/result.json"


def is_held(server: Served, connection: socket.socket) -> bool:
    """Tell whether the server, which is in this process, has its end of a connection open."""
    address = connection.getsockname()
    ends = psutil.Process().net_connections("tcp4")
    return any(each.raddr == address and each.laddr.port == server.port for each in ends)


def test_who_reads_nothing_is_cut_off(hasty: Served) -> None:
    path = large_answer(hasty)
    with reader(hasty, path) as silent, reader(hasty, path) as closing:
        closing.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for each in (silent, closing):
            assert each.recv(10).startswith(b"HTTP/1.1 2")
            eventually(lambda each=each: not is_held(hasty, each), "it is cut off")  # type: ignore[misc]
            assert len(rest(each)) < SIZE


def test_who_reads_slowly_gets_all(hasty: Served) -> None:
    with reader(hasty, large_answer(hasty)) as slow:
        got = slow.recv(65536)
        began = time.monotonic()
        while time.monotonic() - began < 3 * PACE:
            time.sleep(PACE / 20)
            got += slow.recv(65536)
        while len(got) < SIZE:
            got += slow.recv(65536)
    assert got.endswith(b'x"')


def test_all_that_is_not_read_has_a_bound(narrow: Served) -> None:
    path = large_answer(narrow)
    with ExitStack() as stack:
        readers = []
        for _ in range(4):
            readers.append(stack.enter_context(reader(narrow, path)))
            assert readers[-1].recv(10) == b"HTTP/1.1 2"  # it is the next to wait
        first, *_, last = readers
        eventually(lambda: not is_held(narrow, first), "the one that waits longest is cut off")
        got = 0
        while got < SIZE:
            part = last.recv(65536)
            assert part
            got += len(part)

"""Whose the other end of a connection is: its user's, as long as it is open, and nobody's else."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pooldeck_server.web.http.protocol.peer import Peer
from pooldeck_server.web.http.protocol.socket_owners import (
    Ends,
    FindOwner,
    by_netlink,
    by_table,
    owners_of_this_server,
    way_to_know,
)
from tests.support import other_users
from tests.support.other_users import NOBODY, needs_root

CONNECT = """
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("connected", flush=True)
sys.stdin.read()
"""
LOOPBACK = [
    (socket.AF_INET, "127.0.0.1", socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::1", socket.AF_INET6, "::1"),
    (socket.AF_INET, "127.0.0.1", socket.AF_INET6, "::ffff:127.0.0.1"),  # as Java connects
]
FAMILIES = pytest.mark.parametrize("families", LOOPBACK, ids=["IPv4", "IPv6", "IPv4 in IPv6"])
WAYS = pytest.mark.parametrize("find", [by_netlink, by_table])


@contextmanager
def connected(
    family: int, host: str, far_family: int, far_host: str
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a connection: what a server has taken, and who has connected."""
    with (
        socket.create_server((host, 0), family=family) as listener,
        socket.socket(far_family) as far,
    ):
        far.connect((far_host, listener.getsockname()[1]))
        near, _ = listener.accept()
        with near:
            yield near, far


def ends_of(near: socket.socket) -> Ends:
    return Ends(near.family, near.getpeername()[:2], near.getsockname()[:2])


def peer_of(near: socket.socket | None) -> Peer:
    return Peer(near, lambda: False)


def test_this_machine_says_whose_a_socket_is() -> None:
    assert way_to_know() is by_netlink


@WAYS
@FAMILIES
def test_an_open_socket_is_of_the_user_who_has_opened_it(
    find: FindOwner, families: tuple[int, str, int, str]
) -> None:
    with connected(*families) as (near, _):
        assert find(ends_of(near)) == os.geteuid()
        assert peer_of(near).is_own


@WAYS
@FAMILIES
def test_a_closed_socket_is_nobodys_although_the_kernel_says_root(
    find: FindOwner, families: tuple[int, str, int, str]
) -> None:
    with connected(*families) as (near, far):
        ends = ends_of(near)
        far.close()
        assert find(ends) is None
        assert not peer_of(near).is_own


@WAYS
def test_a_socket_that_sends_no_more_is_not_counted(find: FindOwner) -> None:
    with connected(*LOOPBACK[0]) as (near, far):
        far.shutdown(socket.SHUT_WR)
        assert find(ends_of(near)) is None
        assert not peer_of(near).is_own


@WAYS
def test_who_listens_at_the_port_of_a_socket_that_is_gone_does_not_take_its_place(
    find: FindOwner,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        assert find(Ends(socket.AF_INET, ("127.0.0.1", port), ("127.0.0.1", 9))) is None


def test_what_was_found_out_is_not_asked_again() -> None:
    with connected(*LOOPBACK[0]) as (near, far):
        peer = peer_of(near)
        assert peer.is_own
        far.close()
        assert peer.is_own


def test_what_is_no_connection_of_this_machine_is_not_its_owners() -> None:
    assert not peer_of(None).is_own
    near, far = socket.socketpair()
    with near, far:
        assert not peer_of(near).is_own
    with connected(*LOOPBACK[0]) as (near, _):
        near.close()
        assert not peer_of(near).is_own


async def test_a_connection_that_is_being_closed_is_not_asked_about() -> None:
    """Its descriptor may be another connection's by the time that its last request is looked at."""
    taken: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

    class Taking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.set_result(transport)

    server = await asyncio.get_running_loop().create_server(Taking, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        transport = await taken
        near = transport.get_extra_info("socket")
        open_one, closing = (Peer(near, transport.is_closing) for _ in range(2))
        assert open_one.is_own
        transport.close()
        assert not closing.is_own
        writer.close()


def test_root_is_an_owner_and_the_user_that_stands_for_unknown_ones_is_not() -> None:
    assert {0, os.geteuid()} >= owners_of_this_server() > set()
    assert 0 in owners_of_this_server()
    assert NOBODY not in owners_of_this_server()


@needs_root
@WAYS
@pytest.mark.parametrize("families", LOOPBACK[:2], ids=["IPv4", "IPv6"])
def test_the_socket_of_another_user_is_his(
    find: FindOwner, families: tuple[int, str, int, str]
) -> None:
    family, host, _, _ = families
    with socket.create_server((host, 0), family=family) as listener:
        port = str(listener.getsockname()[1])
        with other_users.running(CONNECT, host, port) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "connected\n"
            near, _ = listener.accept()
            with near:
                assert find(ends_of(near)) == NOBODY
                assert not peer_of(near).is_own

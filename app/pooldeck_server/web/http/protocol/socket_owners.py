"""Whose a socket on this machine is: the kernel knows which user has opened it.

  netlink   sock_diag(7) with the four numbers of a connection: some 15 µs, IPv4 and IPv6
  the table /proc/net/tcp and tcp6, where there is no such netlink: grows with all connections

Of a socket whose program has closed it the kernel says that it is root's, since it has no file any
more: so a user could send something, close at once, and pass for root. Only a socket counts that is
open at both ends of its connection.
"""

import os
import socket
import struct
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

End: TypeAlias = tuple[str, int]  # address and port


class Ends(Struct, frozen=True):
    """A connection by its numbers: `near` is the end whose socket is asked about."""

    family: int
    near: End
    far: End


FindOwner: TypeAlias = Callable[[Ends], int | None]
"""Returns the user id of who has opened a socket; None where that is not known."""

_ESTABLISHED: Final = 1
_SOCK_DIAG: Final = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST: Final = 1  # NLM_F_REQUEST: exactly one, without a dump
_ANY_COOKIE: Final = 2 * (0xFFFFFFFF,)
_HEADER: Final = struct.Struct("=IHHII")  # struct nlmsghdr
_QUESTION: Final = struct.Struct("=BBBBI")  # struct inet_diag_req_v2, before its inet_diag_sockid
_PORTS: Final = struct.Struct("!HH")  # inet_diag_sockid: near, far
_COOKIE: Final = struct.Struct("=III")  # of it, too: interface, cookie
_STATE_AT: Final = _HEADER.size + 1  # in an answer: struct inet_diag_msg
_PORTS_AT: Final = _HEADER.size + 4
_ADDRESS_BYTES: Final = 16
_IDENTITY_BYTES: Final = _PORTS.size + 2 * _ADDRESS_BYTES
_UID_AT: Final = _PORTS_AT + _IDENTITY_BYTES + _COOKIE.size + 3 * 4
_OWNER: Final = struct.Struct("=II")  # uid, inode
_ANSWER_BYTES: Final = 4096
_TABLE: Final = Path("/proc/net/tcp")
_TABLE_6: Final = Path("/proc/net/tcp6")  # also of what speaks IPv4 by a socket of IPv6
_OVERFLOW: Final = Path("/proc/sys/kernel/overflowuid")
_USUAL_OVERFLOW: Final = 65534


def by_netlink(ends: Ends) -> int | None:
    """Ask the kernel about one socket.

    Raises:
        OSError: If it does not answer such questions.
    """
    question = _QUESTION.pack(ends.family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    identities = [_identity(near, far) for near, far in _as_carried(ends)]
    body = question + identities[0] + _COOKIE.pack(0, *_ANY_COOKIE)
    head = _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, 0, 0)
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_NETLINK, kind, _SOCK_DIAG) as asking:
        asking.sendto(head + body, (0, 0))
        answer = asking.recv(_ANSWER_BYTES)  # it is there: the kernel answers within sendto
    return _owner_in(answer, identities)


def _as_carried(ends: Ends) -> Iterator[tuple[End, End]]:
    """Yield both ends, those of IPv4 also as a socket of IPv6 has them: Java opens such ones."""
    yield ends.near, ends.far
    if ends.family == socket.AF_INET:
        (near, near_port), (far, far_port) = ends.near, ends.far
        yield (f"::ffff:{near}", near_port), (f"::ffff:{far}", far_port)


def _identity(near: End, far: End) -> bytes:
    packed = (ip_address(host).packed.ljust(_ADDRESS_BYTES, b"\0") for host, _ in (near, far))
    return _PORTS.pack(near[1], far[1]) + b"".join(packed)


def _owner_in(answer: bytes, identities: Collection[bytes]) -> int | None:
    """Return whose the socket is that was asked about: another one may listen at its port."""
    if len(answer) < _UID_AT + _OWNER.size or answer[_STATE_AT] != _ESTABLISHED:
        return None
    if answer[_PORTS_AT : _PORTS_AT + _IDENTITY_BYTES] not in identities:
        return None
    uid, inode = _OWNER.unpack_from(answer, _UID_AT)
    return uid if inode else None


def by_table(ends: Ends) -> int | None:
    """Look for one socket among all that there are.

    A row is not written at one moment: that of a socket which is being closed could have the number
    of its file still, and root as its owner already. So it is looked at twice.

    Raises:
        OSError: If there is no such table.
    """
    return found if (found := _in_table(ends)) == _in_table(ends) else None


def _in_table(ends: Ends) -> int | None:
    pairs = [f" {_in_hex(*near)} {_in_hex(*far)} " for near, far in _as_carried(ends)]
    for table in (_TABLE, _TABLE_6):
        rows = table.read_text()
        for pair in pairs:
            if (at := rows.find(pair)) >= 0:
                state, _, _, _, uid, _, inode = rows[at + len(pair) :].split(maxsplit=7)[:7]
                return int(uid) if int(state, 16) == _ESTABLISHED and int(inode) else None
    return None


def _in_hex(host: str, port: int) -> str:
    """Return an end as the tables have it: words of 32 bits, each as this machine reads it."""
    packed = ip_address(host).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


@cache
def way_to_know() -> FindOwner | None:
    """Return what says on this machine whose a socket is, tried once; None where nothing does."""
    return next((each for each in (by_netlink, by_table) if _is_right(each)), None)


def _is_right(find: FindOwner) -> bool:
    """Tell whether it says of a socket of our own that it is ours, and nothing of a closed one."""
    with suppress(OSError, AttributeError), _listening() as listener:
        with socket.create_connection(listener.getsockname()) as mine:
            taken, _ = listener.accept()
            ends = Ends(mine.family, mine.getsockname(), mine.getpeername())
            found = find(ends)
        with taken:
            return found == os.geteuid() and find(ends) is None
    return False


def _listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@cache
def owners_of_this_server() -> frozenset[int]:
    """Return the ids of its own user and of root.

    The id that stands for all users which have none here, as seen from inside of a container, may
    be anybody's.
    """
    return frozenset({0, os.geteuid()} - {_nobody()})


def _nobody() -> int:
    try:
        return int(_OVERFLOW.read_text())
    except (OSError, ValueError):
        return _USUAL_OVERFLOW

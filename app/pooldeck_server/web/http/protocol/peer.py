"""The other end of a connection: whether the server's own user has opened it."""

import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from pooldeck_server.web.http.protocol.socket_owners import Ends, owners_of_this_server, way_to_know

PEER: Final = "pooldeck.peer"
"""Where the scope of a request has who is at the other end of its connection."""

_TCP_ESTABLISHED: Final = 1
_FAMILIES: Final = {socket.AF_INET, socket.AF_INET6}


class Peer:
    """Who is at the other end; that is found out once, when somebody wants to know.

    Args:
        near: The server's own socket of the connection.
        is_closing: Tells whether that is about to be closed. It is known by its descriptor, which
            may be another connection's when it is.
    """

    def __init__(self, near: Any, is_closing: Callable[[], bool]) -> None:
        self._near = near
        self._is_closing = is_closing
        self._is_own: bool | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is the server's own user or root, on this machine; False where unknown."""
        if self._is_own is None:
            try:
                self._is_own = self._find_out()
            except OSError:  # it is closed by now, or there is no descriptor to ask with
                return False
        return self._is_own

    def _find_out(self) -> bool:
        """Ask the kernel about the other end.

        Last of all the server's own socket is looked at: as long as that is connected, nobody else
        can have its other end's numbers.
        """
        find = way_to_know()
        if find is None or self._is_closing() or not self._may_be_found():
            return False
        far, near = self._near.getpeername()[:2], self._near.getsockname()[:2]
        owner = find(Ends(self._near.family, far, near))
        return owner in owners_of_this_server() and self._is_connected()

    def _may_be_found(self) -> bool:
        return self._near is not None and self._near.family in _FAMILIES

    def _is_connected(self) -> bool:
        state = self._near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return bool(struct.unpack("B", state)[0] == _TCP_ESTABLISHED)

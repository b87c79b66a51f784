"""Requests of the server's own user, from this machine: they need no token where access is local.

The kernel says whose the other end of a connection is. What somebody else has passed on is nobody's
own, whoever runs the proxy.
"""

from typing import Final

from starlette.types import Scope

from pooldeck_server.web.http.headers import Headers, kept_headers
from pooldeck_server.web.http.protocol.peer import PEER, Peer
from pooldeck_server.web.http.proxies import came_by_proxy

_PASSED_ON: Final = {b"forwarded", b"via", b"x-real-ip"}
_PASSED_ON_BEGINNING: Final = b"x-forwarded-"


def is_local(scope: Scope) -> bool:
    """Tell whether the server's own user or root has sent a request; False where unknown.

    It is found out once for each connection, by the first request that shows no credentials.
    """
    peer: Peer | None = scope.get(PEER)
    if peer is None or came_by_proxy(scope) or _was_passed_on(kept_headers(scope)):
        return False
    return peer.is_own


def _was_passed_on(headers: Headers) -> bool:
    begins_so = any(name.startswith(_PASSED_ON_BEGINNING) for name in headers)
    return begins_so or not _PASSED_ON.isdisjoint(headers)

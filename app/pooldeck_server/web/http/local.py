"""Requests of the server's own user, from this machine: they need no token where access is local.

The kernel says whose the other end of a connection is. What somebody else has passed on is nobody's
own, whoever runs the proxy.
"""

from functools import lru_cache
from typing import Final

from starlette.types import Scope

from pooldeck_server.web.http.headers import kept_headers
from pooldeck_server.web.http.protocol.peer import PEER, Peer
from pooldeck_server.web.http.proxies import came_by_proxy

_PASSED_ON: Final = {b"forwarded", b"via", b"x-real-ip"}
_PASSED_ON_BEGINNING: Final = b"x-forwarded-"


def is_local(scope: Scope) -> bool:
    """Tell whether the server's own user or root has sent a request; False where unknown.

    It is found out once for each connection, by the first request that shows no credentials.
    """
    peer: Peer | None = scope.get(PEER)
    if peer is None or came_by_proxy(scope) or any(map(_is_of_proxy, kept_headers(scope))):
        return False
    return peer.is_own


@lru_cache(maxsize=256)
def _is_of_proxy(name: bytes) -> bool:
    return name in _PASSED_ON or name.startswith(_PASSED_ON_BEGINNING)

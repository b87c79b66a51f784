"""Credentials: the tokens that programs send, and the sessions of browsers begun with one."""

from collections.abc import Sequence
from typing import Final

from pooldeck_server.domain.access import Principal
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.headers import Headers

COOKIE: Final = "pooldeck"


def bearer_token(headers: Headers) -> bytes | None:
    """Return the token that a program has sent, right or wrong; None if it has sent none."""
    said = headers.get(b"authorization")
    if said is None:
        return None
    scheme, _, token = said.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def who_asks(token: bytes | None, cookies: Sequence[str], server: Server) -> Principal | None:
    """Return whose credentials a request has; None if it has none that count.

    Where it has a token, that alone counts.
    """
    if token is not None:
        found = server.tokens.find(token)
        return None if found is None else found[0]
    held = map(server.sessions.principal_of, cookies)
    return next((each for each in held if each is not None), None)


def of_this_run(token: bytes | None, server: Server) -> Principal | None:
    """Return whose token of this run a program has sent, such as that of tasks; None if none."""
    return None if token is None else server.tokens.find_of_run(token)

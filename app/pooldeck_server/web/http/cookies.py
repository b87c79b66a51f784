"""The cookies of a request: bounded in bytes, and taken apart before anything else sees them.

FastAPI has each request's cookies unquoted by `http.cookies`, which takes quadratic time for it in
older patch releases of Python. What this server keeps in cookies needs no unquoting; so the header
is split here, and ends here.
"""

from operator import itemgetter
from typing import Final

from starlette.types import Scope

from pooldeck_server.domain.errors import HeadersTooLarge, InvalidRequest

MAX_BYTES: Final = 4096  # of all cookies of a request
_HEADER: Final = b"cookie"
_KEPT: Final = "pooldeck.cookies"


def take_cookies(scope: Scope) -> None:
    """Take the cookies out of a request's headers, and keep them for `cookie`.

    Raises:
        HeadersTooLarge: If they have more than `MAX_BYTES`.
        InvalidRequest: If the header stands twice.
    """
    if _HEADER not in map(itemgetter(0), scope["headers"]):
        return
    found = [value for name, value in scope["headers"] if name == _HEADER]
    if sum(map(len, found)) > MAX_BYTES:
        raise HeadersTooLarge(
            f"the cookies are larger than {MAX_BYTES} bytes; a browser also sends those that other "
            "servers under this host name have set: delete them"
        )
    if len(found) > 1:
        raise InvalidRequest("the header cookie stands twice")
    scope["headers"] = [header for header in scope["headers"] if header[0] != _HEADER]
    scope[_KEPT] = _split(found[0].decode("latin-1"))


def cookie(scope: Scope, name: str) -> str:
    """Return the value of a cookie that `take_cookies` found, "" if there is none.

    Of equals the last one counts, as it does for Starlette.
    """
    return next(reversed(cookies(scope, name)), "")


def cookies(scope: Scope, name: str) -> list[str]:
    """Return all values of a cookie: others under this host name may have set theirs, too."""
    kept: list[tuple[str, str]] = scope.get(_KEPT, [])
    return [value for each, value in kept if each == name]


def names_of_cookies(scope: Scope, beginning: str) -> list[str]:
    """Return the names that begin so, in the browser's order: what it has longest comes first."""
    kept: list[tuple[str, str]] = scope.get(_KEPT, [])
    return [name for name, _ in kept if name.startswith(beginning)]


def _split(header: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in header.split(";"))
    return [(name.strip(), value.strip()) for name, _, value in pairs]

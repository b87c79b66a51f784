"""The headers that decisions are made on: each stands once, and none is too long to be parsed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from starlette.types import Scope

from pooldeck_server.domain.errors import HeadersTooLarge, InvalidRequest, WrongHost

_LOOKED_AT: Final = frozenset(
    {
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"sec-fetch-mode",
        b"sec-fetch-dest",
        b"authorization",
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"idempotency-key",
        b"pooldeck-watch",
    }
)
_LONGEST_TYPE: Final = 256  # bytes; python-multipart takes quadratic time for a Content-Type

_KEPT: Final = "pooldeck.headers"

Headers = Mapping[bytes, bytes]


def take_headers(scope: Scope) -> Headers:
    """Return `headers_of` a request, and keep them for `kept_headers`; raises as it."""
    found = scope[_KEPT] = headers_of(scope["headers"])
    return found


def kept_headers(scope: Scope) -> Headers:
    """Return the headers of a request by their names.

    They are gone through once: whoever answers has them from the guard.
    """
    found: Headers | None = scope.get(_KEPT)
    return take_headers(scope) if found is None else found


def headers_of(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers by name; those that decisions are made on may stand only once.

    Raises:
        WrongHost: If there are two hosts.
        InvalidRequest: If another of them stands twice.
        HeadersTooLarge: If what they say of the body is too long to be looked at.
    """
    found = dict(raw)
    if len(found) < len(raw):
        _refuse_doubles(name for name, _ in raw)
    if len(found.get(b"content-type", b"")) > _LONGEST_TYPE:
        raise HeadersTooLarge(f"the Content-Type is larger than {_LONGEST_TYPE} bytes")
    return found


def _refuse_doubles(names: Iterable[bytes]) -> None:
    seen: set[bytes] = set()
    for name in names:
        if name in _LOOKED_AT and name in seen:
            raise _double(name.decode())
        seen.add(name)


def _double(name: str) -> WrongHost | InvalidRequest:
    if name == "host":
        return WrongHost("the request names two hosts")
    return InvalidRequest(f"the header {name} stands twice")

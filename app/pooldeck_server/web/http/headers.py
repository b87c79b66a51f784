"""The headers that decisions are made on: each stands once, and none is too long to be parsed."""

from collections.abc import Iterable, Mapping
from typing import Final

from pooldeck_server.domain.errors import HeadersTooLarge, InvalidRequest, WrongHost

_LOOKED_AT: Final = frozenset(
    {
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"authorization",
        b"content-length",
        b"content-type",
        b"idempotency-key",
    }
)
_LONGEST_TYPE: Final = 256  # bytes; python-multipart takes quadratic time for a Content-Type

Headers = Mapping[bytes, bytes]


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers that decisions are made on, each of which may stand only once.

    Raises:
        WrongHost: If there are two hosts.
        InvalidRequest: If another of them stands twice.
        HeadersTooLarge: If what they say of the body is too long to be looked at.
    """
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        if name in _LOOKED_AT:
            if name in found:
                raise _double(name.decode())
            found[name] = value
    if len(found.get(b"content-type", b"")) > _LONGEST_TYPE:
        raise HeadersTooLarge(f"the Content-Type is larger than {_LONGEST_TYPE} bytes")
    return found


def _double(name: str) -> WrongHost | InvalidRequest:
    if name == "host":
        return WrongHost("the request names two hosts")
    return InvalidRequest(f"the header {name} stands twice")

"""The head of a request: what of it has only one reading.

What two programs in a row can read in two ways is refused: where one takes a request to end and the
other does not, a third party's request can be hidden.
"""

from collections.abc import Sequence
from typing import Final

from pooldeck_server.domain.errors import (
    MalformedRequest,
    MethodNotAllowed,
    WrongHost,
)

_VERSIONS: Final = {"1.0", "1.1"}
_SCHEMES: Final = {b"http", b"https"}
_TRANSFER: Final = b"transfer-encoding"
_UPGRADE: Final = b"upgrade"

Headers = Sequence[tuple[bytes, bytes]]


def check_head(method: bytes, url: bytes, version: str, headers: Headers) -> None:
    """Refuse a head that leaves open where its request ends, or whom it is for.

    Raises:
        MalformedRequest: If the version, the framing or the scheme is none that this server speaks.
        MethodNotAllowed: If it asks for a tunnel.
        WrongHost: If the request line names another host than the header.
    """
    if version not in _VERSIONS:
        raise MalformedRequest(f"this server speaks HTTP/1.1, not HTTP/{version}")
    if method == b"CONNECT":
        raise MethodNotAllowed("CONNECT is for proxies; this server is none")
    found = dict(headers)
    if _TRANSFER in found:
        _check_transfer(version, headers)
    if not url.startswith(b"/"):
        _check_authority(url, found.get(b"host", b""))


def _check_transfer(version: str, headers: Headers) -> None:
    """HTTP/1.0 has no Transfer-Encoding, and gateways of that age pass it on unread."""
    codings = [value.strip().lower() for name, value in headers if name == _TRANSFER]
    if version != "1.1" or codings != [b"chunked"]:
        raise MalformedRequest("Transfer-Encoding may be chunked, once, in HTTP/1.1; nothing else")


def _check_authority(url: bytes, host: bytes) -> None:
    if url == b"*":
        return
    scheme, _, rest = url.partition(b"://")
    if scheme.lower() not in _SCHEMES:
        raise MalformedRequest("the request asks for what is neither a path nor an http address")
    authority = rest.partition(b"/")[0].partition(b"?")[0]
    if authority.lower() != host.lower():
        raise WrongHost("the request names two hosts")


def without_upgrade(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """Return a head as it was sent, except that it does not offer another protocol."""
    lines = [
        b"%b %b HTTP/%b" % (method, url, version.encode()),
        *(b"%b: %b" % header for header in headers if header[0] != _UPGRADE),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"

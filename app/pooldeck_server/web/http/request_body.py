"""A request's body on its way in: bounded in bytes; `http.protocol` bounds it in time."""

from functools import lru_cache
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from pooldeck_server.domain.errors import TooLarge, UnsupportedMediaType
from pooldeck_server.web.http.headers import kept_headers

_GONE: Final = "http.disconnect"


class RequestBody:
    """Stands in for `receive`, and stops a body that is larger than `limit` bytes."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._arrived = 0

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
            TooLarge: If there is more body than allowed.
        """
        message = await self._receive()
        self._arrived += len(message.get("body", b""))
        check_size(self._arrived, self._limit)
        return message


def check_size(size: int, limit: int) -> None:
    """Refuse a body of `size` bytes, if that is over the limit.

    Raises:
        TooLarge: Then; the rest of the body is not read.
    """
    if size > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")


async def whole_body(request: Request, limit: int) -> bytes:
    """Return the body of a request; Starlette's `body()` takes several times as long.

    Raises:
        TooLarge: If it has more than `limit` bytes; the rest of it is not read.
        ClientDisconnect: If the client goes away before it is complete.
    """
    check_size(int(kept_headers(request.scope).get(b"content-length", b"0")), limit)
    message = await request.receive()
    if not message.get("more_body", False) and message["type"] != _GONE:
        body: bytes = message["body"]
        check_size(len(body), limit)
        return body
    parts, size = [], 0
    while message["type"] != _GONE:
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        check_size(size, limit)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await request.receive()
    raise ClientDisconnect


async def json_body(request: Request, limit: int) -> bytes:
    """Return the body of a request that says it is plain JSON.

    Raises:
        UnsupportedMediaType: If it says otherwise.
        TooLarge: If it has more than `limit` bytes.
        ClientDisconnect: If the client goes away before it is complete.
    """
    headers = kept_headers(request.scope)
    if not _is_json(headers.get(b"content-type", b"")):
        raise UnsupportedMediaType("send the header Content-Type: application/json")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("send the body without Content-Encoding")
    return await whole_body(request, limit)


async def optional_json_body(request: Request, limit: int) -> bytes:
    """Return the body of a request that need not have one; raises as `json_body`."""
    return await (json_body if "content-type" in request.headers else whole_body)(request, limit)


@lru_cache(maxsize=64)
def _is_json(content_type: bytes) -> bool:
    media_type, _, parameters = content_type.lower().partition(b";")
    charset = parameters.replace(b" ", b"").replace(b'"', b"")
    return media_type.strip() == b"application/json" and charset in {b"", b"charset=utf-8"}

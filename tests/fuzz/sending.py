"""Requests as bytes, and answers read by somebody who believes nothing."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException, HTTPResponse
from typing import Final

import msgspec

PATIENCE: Final = 90.0  # seconds; longer than anything may take
_STREAMS: Final = {"text/event-stream", "application/x-ndjson"}


@dataclass(frozen=True)
class Request:
    """A request; what is in `headers` and `target` is sent as it is."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes | None = None

    def raw(self) -> bytes:
        lines = [b"%b %b HTTP/1.1" % (self.method.encode(), self.target)]
        lines += [b"%b: %b" % header for header in self.headers]
        if self.body is not None:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join([*lines, b"Connection: close", b"", self.body or b""])

    def __str__(self) -> str:
        return repr(self.raw()[:1500])


@dataclass(frozen=True)
class Reply:
    """What came back: header names are in lower case; the body of a stream is left unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def is_stream(self) -> bool:
        return self.media_type in _STREAMS

    def code(self) -> str | None:
        """Return the code of a problem document, None if it is none."""
        with suppress(msgspec.DecodeError, AttributeError, KeyError):
            document = msgspec.json.decode(self.body)
            if document.get("status") == self.status:
                return str(document["code"])
        return None


def ask(port: int, request: Request) -> Reply:
    """Send a request over a connection of its own, and read the answer.

    Raises:
        OSError: If none comes.
        HTTPException: If it is not HTTP.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):  # it may be answered before it has arrived
            connection.sendall(request.raw())
        return read(HTTPResponse(connection, method=request.method))


def read(answer: HTTPResponse) -> Reply:
    """Read an answer; raises as `ask`."""
    answer.begin()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    if answer.version != 11:
        raise HTTPException(f"the answer has version {answer.version}")
    reply = Reply(answer.status, headers, b"")
    return reply if reply.is_stream else replace(reply, body=answer.read())

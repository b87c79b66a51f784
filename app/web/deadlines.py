"""A connection that does not wait for ever: deadlines and a bound for what uvicorn reads unbounded.

A client that trickles its headers, or a body that nobody reads any more, would otherwise keep its
connection open as long as it likes.
"""

import asyncio
from typing import Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.domain.errors import RequestTimeout
from app.settings import LimitSettings
from app.web.corked import Corked
from app.web.errors import problem

_MAX_HEAD_BYTES: Final = 64 * 1024
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


def _raw(response: Response) -> bytes:
    """Return an answer as the bytes of HTTP/1.1, for a request that the app never got whole."""
    head = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
    return STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)


_LATE: Final = _raw(problem(RequestTimeout("the body did not arrive in time; send it faster")))


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, closing connections whose requests do not arrive in time.

    Headers have `header_seconds` from the connection's start, later from a request's first byte;
    the body has `body_seconds` after them. Its configuration has the limits as `limits`.
    """

    _timer: asyncio.TimerHandle | None = None
    _awaited: str | None = None  # the part of a request that the timer is for
    _in_head = True
    _is_whole = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(Corked(transport))  # type: ignore[arg-type]  # it is one, in all that counts
        self._await("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._await(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see what of a request is still missing."""
        self._is_whole = False
        super().data_received(data)
        missing = None if self._is_whole else "head" if self._in_head else "body"
        if missing != self._awaited:
            self._await(missing)
        if missing == "head":
            self._count_head(len(data))

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that what comes now is a body."""
        super().on_headers_complete()
        self._in_head = False

    def on_message_complete(self) -> None:
        """Note that nothing is missing, and that what comes now is another request."""
        super().on_message_complete()
        self._is_whole = self._in_head = True

    def _await(self, part: str | None) -> None:
        """Give a part of a request its time, from now."""
        if self._timer is not None:
            self._timer.cancel()
        self._awaited = part
        self._head_bytes = 0
        self._timer = (
            None if part is None else self.loop.call_later(self._time_for(part), self._end)
        )

    def _time_for(self, part: str) -> float:
        limits: LimitSettings = self.config.limits  # type: ignore[attr-defined]  # server.Config
        return limits.header_seconds if part == "head" else limits.body_seconds

    def _end(self) -> None:
        """Close; say why where the app waits for the body and has not answered yet."""
        if self._awaited == "body" and not self.cycle.response_started:
            self.transport.write(_LATE)
        self.transport.close()

    def _count_head(self, arrived: int) -> None:
        self._head_bytes += arrived
        if self._head_bytes > _MAX_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

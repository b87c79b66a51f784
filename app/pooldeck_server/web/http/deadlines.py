"""A connection that does not wait for ever: deadlines and a bound for what uvicorn reads unbounded.

A client that trickles its headers, or a body that nobody reads any more, would otherwise keep its
connection open as long as it likes; and the trailers after a body would be kept in memory, however
many there are. What a connection writes in one turn of the event loop leaves with one system call.
"""

import asyncio
from typing import Any, Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from pooldeck_server.domain.errors import HeadersTooLarge, RequestTimeout, TooLarge
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.http.errors import problem

_MAX_BYTES: Final = 64 * 1024  # of a head; of what frames a body: chunk sizes, extensions, trailers
_CHUNK_BYTES: Final = 16  # what frames a chunk may take without being counted: its size, two CRLF


def _raw(response: Response) -> bytes:
    """Return an answer as the bytes of HTTP/1.1, for a request that the app never got whole."""
    head = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
    return STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)


_LATE: Final = _raw(problem(RequestTimeout("the body did not arrive in time; send it faster")))
_LARGE_HEAD: Final = _raw(problem(HeadersTooLarge(f"the head is larger than {_MAX_BYTES} bytes")))
_LARGE_FRAME: Final = _raw(
    problem(TooLarge(f"chunk extensions and trailers are larger than {_MAX_BYTES} bytes"))
)


class CoalescingTransport:
    """Stands before a transport, gathers writes until the loop's next turn, passes all else on.

    uvicorn writes the head of an answer and its body apart; each system call costs a server that
    answers thousands of requests a second as much as all its checks of one.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._gathered: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._transport.write(b"".join(gathered))


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, closing connections whose requests do not arrive in time.

    Headers have `header_seconds` from the connection's start, later from a request's first byte;
    the body has `body_seconds` after them. Its configuration has the limits as `limits`. Trailers
    are dropped.

    The parser does not say where in a read a part of a request ends. So reads are counted in which
    none does, and what it keeps of an unfinished header stays within the bound and one read.
    """

    _timer: asyncio.TimerHandle | None = None
    _awaited: str | None = None  # the part of a request that the timer is for
    _in_head = True
    _is_whole = False
    _is_split = False  # a head or a body has ended within this read
    _counted = 0  # bytes of the head, or of what frames the body
    _not_counted = 0  # bytes of this read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(CoalescingTransport(transport))  # type: ignore[arg-type]  # it is one, in all that counts
        self._await("head")

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see what of a request is still missing."""
        self._is_whole = self._is_split = False
        self._not_counted = 0
        super().data_received(data)
        missing = None if self._is_whole else "head" if self._in_head else "body"
        is_next = missing is not None and self._is_split
        if missing != self._awaited or is_next:
            self._await(missing)
        if missing is not None and not is_next:
            self._count(len(data) - self._not_counted)

    def on_message_begin(self) -> None:
        self._is_whole = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        self._is_split = True

    def on_body(self, body: bytes) -> None:
        self._not_counted += len(body) + _CHUNK_BYTES
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that nothing is missing, and that what comes now is another request."""
        super().on_message_complete()
        self._is_whole = self._in_head = self._is_split = True

    def _await(self, part: str | None) -> None:
        """Give a part of a request its time, from now."""
        if self._timer is not None:
            self._timer.cancel()
        self._awaited = part
        self._counted = 0
        self._timer = (
            None if part is None else self.loop.call_later(self._time_for(part), self._end)
        )

    def _time_for(self, part: str) -> float:
        limits: LimitSettings = self.config.limits  # type: ignore[attr-defined]  # server.Config
        return limits.header_seconds if part == "head" else limits.body_seconds

    def _end(self) -> None:
        """Close; a head that is late gets no answer."""
        if self._in_head:
            self.transport.close()
        else:
            self._refuse(_LATE)

    def _count(self, arrived: int) -> None:
        self._counted = max(0, self._counted + arrived)
        if self._counted > _MAX_BYTES and not self.transport.is_closing():
            self._refuse(_LARGE_HEAD if self._in_head else _LARGE_FRAME)

    def _refuse(self, answer: bytes) -> None:
        """Close; say why, unless a client would take it for a part of another answer."""
        if self._is_next_to_answer():
            self.transport.write(answer)
        self.transport.close()

    def _is_next_to_answer(self) -> bool:
        """Tell whether the request that is not whole yet would be answered now."""
        if self._in_head:
            return self.cycle is None or self.cycle.response_complete
        return not (self.cycle.response_started or self.pipeline)

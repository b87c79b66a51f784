"""One connection: uvicorn's protocol, which bounds none of what is bounded here.

A client that trickles its requests, sends more than anybody reads, or reads nothing of what it has
asked for, would otherwise cost as much time and memory as it likes.
"""

import asyncio
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pooldeck_server.domain.errors import (
    HeadersTooLarge,
    MalformedRequest,
    PooldeckError,
    RequestTimeout,
    TooLarge,
    TooManyConnections,
)
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.http.protocol.crowd import Crowd, network
from pooldeck_server.web.http.protocol.cycle import Cycle
from pooldeck_server.web.http.protocol.deadlines import Deadline
from pooldeck_server.web.http.protocol.head import check_head, without_upgrade
from pooldeck_server.web.http.protocol.peer import PEER, Peer
from pooldeck_server.web.http.protocol.refusals import RefusalLog, as_bytes
from pooldeck_server.web.http.protocol.writing import CoalescingTransport, Unread

_MAX_BYTES: Final = 64 * 1024  # of a head; of what frames a body: chunk sizes, extensions, trailers
_CHUNK_BYTES: Final = 16  # what frames a chunk may take without being counted: its size, two CRLF
_PIECE: Final = 4096  # bytes that are parsed at once; they may hold many requests
_TURN: Final = 4 * _PIECE  # bytes that are parsed before others get their turn
_RETRY_SECONDS: Final = 5  # a hint for who finds no room


class SharedBounds:
    """What all connections of a server share: its limits, and what keeps them."""

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self.crowd = Crowd(limits.connections, limits.connections_per_address)
        self.unread = Unread(limits.write_seconds, limits.unread_bytes)
        self.refusals = RefusalLog()


class _Flow(FlowControl):
    """Flow control that reads nothing on while `rest` is to be parsed.

    uvicorn's own reads on whenever the app asks for a body, also that of a request before it.
    """

    rest = b""  # what has been read and not been parsed

    def resume_reading(self) -> None:
        if self.read_paused and not self.rest:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """A connection that is bounded in time and bytes; its configuration has the `bounds`.

    What it reads is parsed piece by piece, and no further while an earlier request has to be
    answered first. The pieces of a head are counted, which the parser keeps until it is whole. A
    head has `header_seconds` from the connection's start, later from a request's first byte; a body
    has `body_seconds` after it. Trailers are dropped.
    """

    address = ""
    _in_head = True
    _is_between = False  # nothing of the next request has come
    _offers_upgrade = False
    _part = 0  # heads and bodies are numbered
    _counted = 0  # bytes of the head, or of what frames the body, but for its first and last piece
    _in_body = 0  # bytes of body in the piece that is being parsed
    _answering: Any = None  # uvicorn's cycle of the request that is being answered
    _refusal: bytes | None = None  # what is said when all before it is answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, if there is room for one more connection."""
        self._bounds: SharedBounds = self.config.bounds  # type: ignore[attr-defined]  # server.Config
        self._bare = transport
        self._writing = CoalescingTransport(transport, self._bounds.unread.watch)
        super().connection_made(self._writing)  # type: ignore[arg-type]  # it is one, in all that counts
        self.flow: _Flow = _Flow(self.transport)
        self.address = network(self.client[0]) if self.client else ""
        self._peer = Peer(transport.get_extra_info("socket"), transport.is_closing)
        self._deadline = Deadline(self.loop, self._end)
        if self._bounds.crowd.admit(self):
            self._watch()
        else:
            self._refuse(_crowded())

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and tell the app, which uvicorn does for the latest request only."""
        self._deadline.stop()
        self._bounds.crowd.leave(self)
        self._bounds.unread.forget(self._bare)
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Close at once, as another connection needs the place."""
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._bounds.unread.watch(self._bare)

    def resume_writing(self) -> None:
        if not self._bare.is_closing():
            self._bounds.unread.forget(self._bare)
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self.flow.rest:
            data = self.flow.rest + data
        self._read_on(data)

    def _read_on(self, data: bytes) -> None:
        """Parse what has been read, and see what of a request is still missing."""
        self._unset_keepalive_if_required()
        if self.flow.rest:
            self.flow.rest = b""
            self.flow.resume_reading()
        at, size = 0, len(data)
        while at < min(size, _TURN) and not (self.pipeline or self._is_over()):
            self._parse(data[at : at + _PIECE])
            at += _PIECE
        if at < size and not self._is_over():
            self.flow.rest = data[at:]
            self.flow.pause_reading()
            if not self.pipeline:
                self.loop.call_soon(self._read_on_again)
        self._watch()

    def _read_on_again(self) -> None:
        """Go on with what was left for this turn of the loop, unless that has happened already."""
        if self.flow.rest and not (self.pipeline or self._is_over()):
            self._read_on(self.flow.rest)

    def _is_over(self) -> bool:
        return self._refusal is not None or self.transport.is_closing()

    def _parse(self, data: bytes) -> None:
        part, self._in_body, self._is_between = self._part, 0, False
        try:
            self.parser.feed_data(data)
            if part == self._part:
                self._count_unfinished(len(data))
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(_reason(error))
        except PooldeckError as error:
            self._refuse(error)

    def _count_unfinished(self, arrived: int) -> None:
        """Count a piece of a part that has not ended in it."""
        self._counted = max(0, self._counted + arrived - self._in_body)
        if self._counted > _MAX_BYTES:
            raise self._too_large()

    def _too_large(self) -> PooldeckError:
        if self._in_head:
            return HeadersTooLarge(f"the head is larger than {_MAX_BYTES} bytes")
        return TooLarge(f"chunk extensions and trailers are larger than {_MAX_BYTES} bytes")

    def _decline(self, rest: bytes) -> None:
        """Go on as if no other protocol had been offered: the parser reads no further after one."""
        self._offers_upgrade = False
        version = self.parser.get_http_version()
        head = without_upgrade(self.parser.get_method(), self.url, version, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(head)
        if rest and not self._is_over():
            self._parse(rest)

    def on_message_begin(self) -> None:
        self._is_between = False
        super().on_message_begin()
        self.scope[PEER] = self._peer  # type: ignore[typeddict-unknown-key]  # one of ours

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Check the head before uvicorn acts on it."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        check_head(method, self.url, version, self.headers)
        self._offers_upgrade = self.parser.should_upgrade()
        if not self._offers_upgrade:
            self._begin_cycle(method, version)
            self._in_head = False
            self._counted = 0
            self._part += 1

    def _begin_cycle(self, method: bytes, version: str) -> None:
        """Let the app answer, when all before is answered: as uvicorn does, by a cycle of ours."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope |= {
            "method": method.decode("ascii"),
            "http_version": version,
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
        }
        before, self.cycle = (
            self.cycle,
            Cycle(
                scope=self.scope,
                transport=self.transport,
                flow=self.flow,
                logger=self.logger,
                access_logger=self.access_logger,
                access_log=False,
                default_headers=self.server_state.default_headers,
                message_event=asyncio.Event(),
                expect_100_continue=self.expect_100_continue,
                keep_alive=version != "1.0" and self.parser.should_keep_alive(),
                on_response=self.on_response_complete,
            ),
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        self._in_body += len(body) + _CHUNK_BYTES
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that nothing is missing, and that what comes now is another request."""
        if not self._offers_upgrade:
            super().on_message_complete()
            self._in_head = self._is_between = True
            self._counted = 0
            self._part += 1

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answering = cycle
        self._bounds.crowd.is_served(self)
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Send the answer, and go on with what came behind its request."""
        self._writing.flush()  # not a turn of the loop later, behind what else is to be done then
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if not self.pipeline:
            self._bounds.crowd.waits(self)
            if self._refusal is not None:
                self._say(self._refusal)
                return
        if self.flow.rest:
            self._read_on(self.flow.rest)
        elif not self._is_between:
            self._unset_keepalive_if_required()
            self._watch()

    def _watch(self) -> None:
        """Give what is missing of a request its time, from when nothing stands before it."""
        if self._is_between or self._is_behind() or self._is_over():
            self._deadline.stop()
            return
        limits = self._bounds.limits
        seconds = limits.header_seconds if self._in_head else limits.body_seconds
        self._deadline.watch(self._part, seconds)

    def _is_behind(self) -> bool:
        """Tell whether the request that is not whole yet comes after one to be answered."""
        if self._in_head:
            return self.cycle is not None and not self.cycle.response_complete
        return bool(self.pipeline)

    def _end(self) -> None:
        """Close; a head that is late gets no answer."""
        if self._in_head:
            self.transport.close()
        else:
            self._refuse(RequestTimeout("the body did not arrive in time; send it faster"))

    def _refuse(self, error: PooldeckError) -> None:
        """Read no further, and say why as soon as the requests before this one are answered."""
        self._bounds.refusals.note(self.client[0] if self.client else "a socket", error)
        self._refusal = as_bytes(error)
        if not self._is_behind():
            self._say(self._refusal)
            return
        self.flow.pause_reading()
        if not self._in_head:
            self.pipeline.popleft()  # its body is what is wrong: the app need not see it

    def _say(self, refusal: bytes) -> None:
        """Answer and close; only close where a client would take it for a part of an answer."""
        is_answered = not self._in_head and self.cycle.response_started
        if not is_answered:
            self.transport.write(refusal)
        self.transport.close()


def _reason(error: httptools.HttpParserError) -> PooldeckError:
    """Return what a callback has raised, or what the parser finds wrong."""
    if isinstance(error.__context__, PooldeckError):
        return error.__context__
    if isinstance(error.__context__, httptools.HttpParserInvalidURLError):
        return MalformedRequest("the address in the request line cannot be read")
    return MalformedRequest(f"this is no HTTP/1.1: {error}")


def _crowded() -> PooldeckError:
    return TooManyConnections(
        "there are as many connections as there may be; use one for several requests",
        retry_after=_RETRY_SECONDS,
    )

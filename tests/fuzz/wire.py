"""Bytes that are no HTTP, or nearly: whatever comes, each connection gets an answer or its end."""

import io
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Final, Self

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.fuzz import odd
from tests.fuzz.effort import Effort
from tests.fuzz.judging import complaints
from tests.fuzz.sending import Reply, read
from tests.fuzz.target import BEARER, Target

_TOGETHER: Final = 40  # connections at a time: most of them only wait
_QUIET: Final = 0.5  # seconds without a word after which an answer is taken to be whole
_PATIENCE: Final = 120.0  # seconds; far more than the deadlines for heads and bodies add up to
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_TASK: Final = b'{"function": "web_functions.add", "args": [1]}'
_AUTH: Final = b"Authorization: " + BEARER.encode() + b"\r\n"
_HEAD: Final = b"Host: 127.0.0.1\r\n" + _AUTH + b"Content-Type: application/json\r\n"
_POST: Final = b"POST /api/v1/tasks HTTP/1.1\r\n" + _HEAD
_GET: Final = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
_CHUNKS: Final = b"%x;a=b\r\n%b\r\n0\r\nx-trailer: y\r\n\r\n" % (len(_TASK), _TASK)
_LENGTH: Final = b"Content-Length: %d\r\n" % len(_TASK)
_HEAD_OF_STREAM: Final = b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n" + _AUTH
_LOGIN: Final = (
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
)
_PARTS: Final = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nx\r\n--b--\r\n'
_WHOLE: Final = [
    _GET,
    _GET * 20,
    b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + _AUTH + b"\r\n",
    b"GET /tasks?q=%00 HTTP/1.0\r\nHost: 127.0.0.1\r\n" + _AUTH + b"\r\n",
    b"GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    _POST + _LENGTH + b"\r\n" + _TASK,
    _POST + _CHUNKED + b"\r\n" + _CHUNKS,
    _GET + _POST + _LENGTH + b"\r\n" + _TASK + _GET,
    _POST + _LENGTH + b"Expect: 100-continue\r\n\r\n" + _TASK,
    _POST + _LENGTH + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" + _TASK,
    _HEAD_OF_STREAM + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    _LOGIN + b"Content-Length: %d\r\n\r\n" % len(_PARTS) + _PARTS,
]
_LINES: Final = [
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Content-Length: -1",
    b"Content-Length: +5",
    b"Content-Length: 5, 5",
    b"Content-Length: 0x10",
    b"Content-Length: 18446744073709551616",
    b"Content-Length : 5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:\x0bchunked",
    b"Host: evil.example",
    b"Host:",
    b"Connection: close",
    b"Connection: keep-alive, upgrade",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Expect: nothing",
    b" folded",
    b": nameless",
    b"X\0Y: z",
    b"X: \xff\xfe",
    b"X: " + b"y" * 70_000,
    b"Cookie: " + b"a=b; " * 2000,
]
_PIECES: Final = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b"\xff",
    b" ",
    b":",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"fffffffffffffffff0\r\n",
    b"-1\r\n",
    b"5;" + b"x" * 5000 + b"\r\n",
    b"HTTP/1.1",
    b"HTTP/9.9",
    b"GET ",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # how TLS begins
]


def trial(target: Target, effort: Effort) -> list[str]:
    """Send bytes over many connections; return what is wrong with what came back."""
    wrong: list[str] = []
    together = st.lists(messages(), min_size=_TOGETHER, max_size=_TOGETHER)

    def send(messages: list[bytes]) -> None:
        target.note(f"{len(messages)} messages on the wire")
        wrong.extend(_complaints(target.port, messages))

    effort.spend(together, send)
    return wrong


# What is sent.


def messages() -> SearchStrategy[bytes]:
    """Make what somebody sends who knows some HTTP, and means no good."""
    return st.one_of(
        st.sampled_from(_WHOLE),
        _with_lines(),
        _with_lines(),
        _mutated(),
        _mutated(),
        _with_bodies(),
        st.binary(max_size=200),
        st.lists(st.sampled_from(_PIECES + _WHOLE), max_size=8).map(b"".join),
    )


@st.composite
def _with_lines(draw: DrawFn) -> bytes:
    """Put lines among the headers, before or after those that are there."""
    line, *rest = draw(st.sampled_from(_WHOLE)).split(b"\r\n")
    for extra in draw(st.lists(st.sampled_from(_LINES), min_size=1, max_size=3)):
        rest.insert(draw(st.integers(0, 3)), extra)
    return b"\r\n".join([line, *rest])


@st.composite
def _mutated(draw: DrawFn) -> bytes:
    """Cut something out of a request and put something else there."""
    whole = draw(st.sampled_from(_WHOLE))
    start = draw(st.integers(0, len(whole)))
    end = start + draw(st.integers(0, 30))
    piece = draw(st.sampled_from([b"", *_PIECES]) | st.binary(max_size=8))
    return whole[:start] + piece + whole[end:]


@st.composite
def _with_bodies(draw: DrawFn) -> bytes:
    """Send any JSON, or what looks like it, in chunks of any size."""
    body = draw(odd.json_bodies)
    size = draw(st.integers(1, 5000))
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts[:500])
    return _POST + _CHUNKED + b"\r\n" + chunks + b"0\r\n\r\n"


# What comes back.


def _complaints(port: int, sent: list[bytes]) -> Iterator[str]:
    for message, (received, is_over) in zip(sent, exchange(port, sent), strict=True):
        for complaint in _complaints_of(message, received, is_over=is_over):
            yield f"{complaint}, for {message[:2000]!r}"


def _complaints_of(message: bytes, received: bytes, *, is_over: bool) -> Iterator[str]:
    if not received and not is_over:
        yield "neither an answer nor an end"
    try:
        answers = replies(received, may_lack_bodies=b"HEAD" in message)
    except HTTPException as error:
        yield f"no HTTP ({error!r}): {received[-500:]!r}"
        return
    for answer in answers:
        yield from complaints(answer)


def exchange(port: int, sent: list[bytes]) -> list[tuple[bytes, bool]]:
    """Send each message over a connection of its own; return what came, and whether it was closed.

    Who has answered and says nothing more may keep the connection open for another request.
    """
    exchanges = [Exchange(port, message) for message in sent]
    with selectors.DefaultSelector() as selector:
        for each in exchanges:
            selector.register(each.connection, selectors.EVENT_READ | selectors.EVENT_WRITE, each)
        until = time.monotonic() + _PATIENCE
        while selector.get_map() and time.monotonic() < until:
            for key, events in selector.select(_QUIET / 10):
                key.data.step(events, selector)
            for key in list(selector.get_map().values()):
                if key.data.is_done():
                    selector.unregister(key.fileobj)
    for each in exchanges:
        each.connection.close()
    return [(bytes(each.received), each.is_over) for each in exchanges]


class Exchange:
    """One connection."""

    def __init__(self, port: int, message: bytes) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setblocking(False)
        self.received = bytearray()
        self.is_over = False
        self._unsent = memoryview(message)
        self._heard = time.monotonic()

    def step(self, events: int, selector: selectors.BaseSelector) -> None:
        """Send and receive what can be."""
        try:
            if events & selectors.EVENT_WRITE:
                self._send(selector)
            if events & selectors.EVENT_READ:
                self._receive()
        except ConnectionError:
            self.is_over = True

    def _send(self, selector: selectors.BaseSelector) -> None:
        with suppress(BlockingIOError):
            self._unsent = self._unsent[self.connection.send(self._unsent) :]
        if not self._unsent:
            selector.modify(self.connection, selectors.EVENT_READ, self)

    def _receive(self) -> None:
        with suppress(BlockingIOError):
            part = self.connection.recv(65536)
            self.received += part
            self._heard = time.monotonic()
            self.is_over = not part

    def is_done(self) -> bool:
        """Tell whether nothing more is to be expected."""
        is_quiet = time.monotonic() - self._heard > _QUIET
        return self.is_over or (is_quiet and self._is_answered())

    def _is_answered(self) -> bool:
        try:
            return bool(replies(bytes(self.received), may_lack_bodies=True))
        except HTTPException:
            return False


class _Received(io.BytesIO):
    """What came, in the place of a socket: answers are read from it one after the other."""

    def makefile(self, _: str) -> Self:
        return self

    def close(self) -> None:
        """Stay open for the next answer."""


def replies(received: bytes, *, may_lack_bodies: bool) -> list[Reply]:
    """Return the answers that stand one after the other in what came.

    Where one of them may be to a HEAD, what fits is found by trying.

    Raises:
        HTTPException: If it is something else.
    """
    if not received.removesuffix(_CONTINUE):  # whose body did not come
        return []
    try:
        return _replies(received, "GET", may_lack_bodies=may_lack_bodies)
    except HTTPException:
        if not may_lack_bodies:
            raise
        return _replies(received, "HEAD", may_lack_bodies=True)


def _replies(received: bytes, method: str, *, may_lack_bodies: bool) -> list[Reply]:
    stream = _Received(received)
    first = read(HTTPResponse(stream, method=method))  # type: ignore[arg-type]  # it is no socket
    if first.is_stream:
        return [first]
    return [first, *replies(received[stream.tell() :], may_lack_bodies=may_lack_bodies)]

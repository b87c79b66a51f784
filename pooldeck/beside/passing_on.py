"""Passing requests on to the server beside an app, as a proxy does: streams stay streams.

The server is told below which path, by which scheme and for whom it is asked, and it believes
that. It checks the origin of what browsers send; a request from a page of the app's own origin
gets the origin that the server knows for its own.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

import httpx

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

# RFC 9110, section 7.6.1: what is said to the next hop alone.
_OF_A_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
        *(b"expect", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
_SAID_ANEW: Final = frozenset({b"host", b"origin", b"forwarded"})
_FORWARDED: Final = b"x-forwarded-"
_TIMES: Final = {"connect": 5.0, "read": None, "write": None, "pool": None}  # seconds
_KEEP_ALIVE: Final = 4.0  # seconds: the server closes what has been idle for 5
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


async def answer(send: Send, status: int, text: str) -> None:
    """Answer with a line of text."""
    body = f"{text}\n".encode()
    length = (b"content-length", str(len(body)).encode())
    kept = (b"cache-control", b"no-store")
    await send(_head(status, [_TEXT, length, kept]))
    await send({"type": "http.response.body", "body": body})


def _head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


class Passing:
    """Connections to the server, for each event loop its own."""

    def __init__(self) -> None:
        self._transports: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport
        ] = weakref.WeakKeyDictionary()

    async def pass_on(
        self, scope: Scope, receive: Receive, send: Send, url: str, token: str | None
    ) -> None:
        """Pass a request on to the server at `url`, and its answer back.

        Args:
            scope: The request.
            receive: Gives its body, and says when whoever has asked is gone.
            send: Takes the answer.
            url: Where the server is.
            token: Is shown to it instead of what the request has; None leaves that as it is.
        """
        has_body = _has_body(scope)
        body = _Body(receive, is_sent=has_body)
        request = httpx.Request(
            scope["method"],
            url + _path_below(scope),
            headers=list(_to_server(scope, url, token)),
            content=body.parts() if has_body else None,
            extensions={"timeout": _TIMES},
        )
        exchange = asyncio.ensure_future(self._exchange(request, send))
        gone = asyncio.ensure_future(body.gone())
        try:
            await asyncio.wait({exchange, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (exchange, gone):
                if not task.done():
                    task.cancel()
            results = await asyncio.gather(exchange, gone, return_exceptions=True)
        if isinstance(error := results[0], Exception) and not body.is_gone:
            raise error

    async def _exchange(self, request: httpx.Request, send: Send) -> None:
        try:
            response = await self._ask(request)
        except httpx.TransportError:
            await answer(send, 502, "The server beside this app does not answer; try again.")
            return
        try:
            await send(_head(response.status_code, _to_client(response.headers.raw)))
            async for part in response.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
        except httpx.TransportError:
            return  # the app's server cuts off what is not whole
        finally:
            await response.aclose()
        await send({"type": "http.response.body", "body": b""})

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        """Send a request; once more where a connection was closed that had been kept."""
        try:
            return await self._transport().handle_async_request(request)
        except httpx.RemoteProtocolError:
            if request.method not in _IDEMPOTENT:
                raise
        return await self._transport().handle_async_request(request)

    def _transport(self) -> httpx.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        found = self._transports.get(loop)
        if found is None:
            limits = httpx.Limits(max_connections=None, keepalive_expiry=_KEEP_ALIVE)
            found = self._transports[loop] = httpx.AsyncHTTPTransport(
                limits=limits, trust_env=False
            )
        return found

    async def close(self) -> None:
        """Close the connections of this event loop."""
        if (transport := self._transports.pop(asyncio.get_running_loop(), None)) is not None:
            await transport.aclose()


class _Body:
    """What comes of a request: its body, and after that only that whoever has asked is gone."""

    def __init__(self, receive: Receive, *, is_sent: bool) -> None:
        self._receive = receive
        self._is_sent = is_sent  # on to the server, by `parts`
        self._is_read = asyncio.Event()
        self.is_gone = False

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.is_gone = True
                self._is_read.set()
                raise ConnectionResetError("whoever has asked is gone")
            yield message.get("body", b"")
            more = message.get("more_body", False)
        self._is_read.set()

    async def gone(self) -> None:
        """Return when whoever has asked is gone."""
        if self._is_sent:
            await self._is_read.wait()
        while not self.is_gone:
            self.is_gone = (await self._receive())["type"] == "http.disconnect"


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length")
    if length is not None:
        return bool(length.strip(b"0"))
    is_framed = str(scope.get("http_version", "1.1")) >= "2" and scope["method"] not in _IDEMPOTENT
    return b"transfer-encoding" in headers or is_framed


def _path_below(scope: Scope) -> str:
    """Return the path below the place where the app has mounted this, with the query.

    Whether the path that comes still has the place in it is up to the framework; of what is in
    front of the app itself, a proxy may have taken its part away.
    """
    root, path = scope.get("root_path", ""), scope["path"]
    raw = scope.get("raw_path") or quote(path).encode()
    below = raw.decode("ascii", "replace")
    for place in _ends(root):
        if f"{path}/".startswith(f"{place}/"):
            below = below.removeprefix(quote(place))
            break
    query = scope.get("query_string", b"").decode("ascii", "replace")
    return (below or "/") + (f"?{query}" if query else "")


def _ends(root: str) -> Iterator[str]:
    """Yield a path, and what is left of it without its first parts."""
    while root:
        yield root
        start = root.find("/", 1)
        root = root[start:] if start > 0 else ""


def _to_server(scope: Scope, url: str, token: str | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers of a request as the server gets them."""
    headers: Headers = scope["headers"]
    dropped = _OF_A_HOP | _SAID_ANEW | _named_by_connection(headers)
    if token is not None:
        dropped |= {b"authorization"}
        yield b"authorization", f"Bearer {token}".encode()
    for name, value in headers:
        if name not in dropped and not name.startswith(_FORWARDED):
            yield name, value
    host = urlsplit(url).netloc.encode()
    yield b"host", host
    yield from _origin(headers, str(scope.get("scheme", "http")), url.encode())
    yield b"x-forwarded-proto", str(scope.get("scheme", "http")).encode()
    if root := scope.get("root_path"):
        yield b"x-forwarded-prefix", root.encode()
    if client := scope.get("client"):
        yield b"x-forwarded-for", str(client[0]).encode()


def _origin(headers: Headers, scheme: str, own: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield where a browser's request comes from; the app's own origin becomes the server's."""
    found = dict(headers)
    origin = found.get(b"origin")
    if origin is None:
        return
    port = _DEFAULT_PORTS.get(scheme, "").encode()
    host = found.get(b"host", b"").lower().removesuffix(port)
    asking = origin.lower().partition(b"://")[2].removesuffix(port)
    yield b"origin", own if host and asking == host else origin


def _to_client(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers of an answer as they are passed on; the app's server says the date."""
    all_of_them = [(name.lower(), value) for name, value in headers]
    dropped = _OF_A_HOP | _named_by_connection(all_of_them) | {b"date"}
    yield from (each for each in all_of_them if each[0] not in dropped)


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    values = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(name.strip().lower() for name in values.split(b",") if name.strip())

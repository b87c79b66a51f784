"""The middleware around everything: who may pass, what every answer says, and the last resort.

It is plain ASGI, since it is on the way of every submission.
"""

from typing import Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pooldeck_server.domain.errors import PooldeckError, Unauthorized
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.cookies import cookie, take_cookies
from pooldeck_server.web.http.credentials import COOKIE, Credentials
from pooldeck_server.web.http.errors import internal, problem
from pooldeck_server.web.http.headers import Headers, headers_of
from pooldeck_server.web.http.origins import Hosts
from pooldeck_server.web.http.request_body import RequestBody, check_size

_READS: Final = {"GET", "HEAD", "OPTIONS"}
_PROBES: Final = {"/healthz", "/readyz"}  # asked by machines that know neither name nor token
_LOGIN: Final = "/login"
_OPEN: Final = {_LOGIN, "/language"}  # what a person needs to log in
_OPEN_BYTES: Final = 16 * 1024  # of their forms: parsing hostile ones is slow, and needs no token
_STATIC: Final = "/static/"
_FOR_PROGRAMS: Final = ("/api/", "/metrics", "/openapi.json")
_CSP: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
_ALWAYS: Final = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_NOT_KEPT: Final = (b"cache-control", b"no-store")
_KEPT: Final = (b"cache-control", b"public, max-age=31536000, immutable")  # the path has a version
_OK: Final = 200


def install(app: Application, settings: Settings) -> None:
    app.put_in_front(Guard, settings=settings)


class Guard:
    """Checks each request before the app sees it, and finishes each answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._body_bytes = settings.limits.body_bytes
        self._hosts = Hosts(settings)
        self._credentials = (
            None if settings.token is None else Credentials(settings.token.get_secret_value())
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, scope["path"])
        try:
            refusal, receive = self._admit(scope, receive)
            await (refusal or self._app)(scope, receive, answer.send)
        except ClientDisconnect:
            return
        except Exception as error:
            if answer.is_whole:
                return  # Starlette raises what it has answered once more, for servers to log
            if answer.started:
                raise
            await _failed(error)(scope, receive, answer.send)

    def _admit(self, scope: Scope, receive: Receive) -> tuple[Response | None, Receive]:
        """Return who answers instead of the app, if anyone, and how the body is to be read."""
        path, method = scope["path"], scope["method"]
        take_cookies(scope)
        if path in _PROBES:
            return None, receive
        headers = headers_of(scope["headers"])
        self._hosts.check_host(headers)
        if refusal := self._refusal(scope, headers):
            return refusal, receive
        if method in _READS:
            return None, receive
        self._hosts.check_origin(headers)
        limit = min(_OPEN_BYTES, self._body_bytes) if path in _OPEN else self._body_bytes
        size = headers.get(b"content-length")
        if size is None:
            return None, RequestBody(receive, limit).receive
        check_size(int(size), limit)
        return None, receive

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Ask who is there: send a person to the login page, tell a program to show its token."""
        path: str = scope["path"]
        is_open = path in _OPEN or path.startswith(_STATIC)
        if self._credentials is None or is_open:
            return None
        if self._credentials.fit(headers, cookie(scope, COOKIE)):
            return None
        if scope["method"] != "GET" or path.startswith(_FOR_PROGRAMS):
            raise Unauthorized("send the header Authorization: Bearer TOKEN, or log in at /login")
        wanted = quote(path)
        if query := scope["query_string"].decode("latin-1"):
            wanted += f"?{query}"
        return RedirectResponse(f"{_LOGIN}?next={quote(wanted, safe='/')}", status_code=303)


def _failed(error: Exception) -> Response:
    return problem(error) if isinstance(error, PooldeckError) else internal(error)


class _Answer:
    """Adds to the head of an answer what every answer has."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._path = path
        self.started = False
        self.is_whole = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = [*message.get("headers", ()), *_ALWAYS, self._cache(message)]
        await self._send(message)
        is_body = message["type"] == "http.response.body"
        self.is_whole = is_body and not message.get("more_body", False)

    def _cache(self, message: Message) -> tuple[bytes, bytes]:
        is_static = message["status"] == _OK and self._path.startswith(_STATIC)
        return _KEPT if is_static else _NOT_KEPT

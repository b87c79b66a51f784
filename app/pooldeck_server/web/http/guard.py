"""The middleware around everything: who may do what, what every answer says, the last resort.

It is plain ASGI, since it is on the way of every submission.
"""

import logging
from time import perf_counter
from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pooldeck_server.domain.access import ANYBODY, OWNER, Principal
from pooldeck_server.domain.errors import Forbidden, PooldeckError, Unauthorized
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.cookies import cookies, take_cookies
from pooldeck_server.web.http.credentials import COOKIE, bearer_token, of_this_run, who_asks
from pooldeck_server.web.http.errors import internal, problem
from pooldeck_server.web.http.headers import Headers, take_headers
from pooldeck_server.web.http.local import is_local
from pooldeck_server.web.http.mount import path_of, place_headers, root_path_of
from pooldeck_server.web.http.origins import Hosts
from pooldeck_server.web.http.principals import let_act, principal_of, put_principal
from pooldeck_server.web.http.proxies import Proxies
from pooldeck_server.web.http.redirects import HOME
from pooldeck_server.web.http.request_body import RequestBody, check_size
from pooldeck_server.web.http.requests import Requests
from pooldeck_server.web.http.rules import STATIC, refusal, rules_at
from pooldeck_server.web.http.wrong_tokens import WrongTokens

_READS: Final = {"GET", "HEAD", "OPTIONS"}
_PROBES: Final = {"/healthz", "/readyz"}  # asked by machines that know neither name nor token
_LOGIN: Final = "/login"
_NOT_KNOWN: Final = "the token that was sent is not known here, or counts no more; "
_OPEN: Final = {_LOGIN, "/language"}  # what a person needs to log in
_OPEN_BYTES: Final = 16 * 1024  # of their forms: parsing hostile ones is slow, and needs no token
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
_OWN_HOME: Final = "/tasks"  # of who sees only a part: the deck is about all
_OK: Final = 200
_SHOWN: Final = 200  # characters of a path in a line of the log
_NOT_ALLOWED: Final = 1008  # of WebSocket: a policy forbids it
_log = logging.getLogger(__name__)


def install(app: Application, settings: Settings) -> None:
    app.state.wrong_tokens = WrongTokens(_note_failed_login)
    app.state.requests = Requests(says_each=settings.terminal.says_requests)
    app.put_in_front(
        Guard,
        settings=settings,
        wrong_tokens=app.state.wrong_tokens,
        requests=app.state.requests,
    )


class Guard:
    """Checks each request before the app sees it, and finishes each answer."""

    def __init__(
        self, app: ASGIApp, settings: Settings, wrong_tokens: WrongTokens, requests: Requests
    ) -> None:
        self._app = app
        self._requests = requests
        self._body_bytes = settings.limits.body_bytes
        self._proxies = Proxies(settings)
        self._hosts = Hosts(settings)
        self._wrong_tokens = wrong_tokens
        self._admission = settings.admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _NOT_ALLOWED})  # nothing here is one
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, scope, self._requests)
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

    def _admit(self, scope: Scope, receive: Receive) -> tuple[ASGIApp | None, Receive]:
        """Return who answers instead of the app, if anyone, and how the body is to be read."""
        self._proxies.follow(scope)
        path, method = path_of(scope), scope["method"]
        take_cookies(scope)
        if path in _PROBES and method in rules_at(path):
            return None, receive
        headers = take_headers(scope)
        self._hosts.check_host(headers)
        refusal: ASGIApp | None = self._refusal(scope, headers)
        if refusal is None:
            self._check_origin(path, method, headers)
            refusal = _forbidden(scope)
        if refusal is not None:
            return refusal, receive
        let_act(scope)
        if method in _READS:
            return None, receive
        limit = min(_OPEN_BYTES, self._body_bytes) if path in _OPEN else self._body_bytes
        size = headers.get(b"content-length")
        if size is None:
            return None, RequestBody(receive, limit).receive
        check_size(int(size), limit)
        return None, receive

    def _check_origin(self, path: str, method: str, headers: Headers) -> None:
        """Let pages elsewhere lead to pages here, and do nothing else."""
        if method not in _READS or path.startswith(_FOR_PROGRAMS):
            self._hosts.check_origin(headers)
        elif not path.startswith(STATIC):
            self._hosts.check_visit(headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Ask who is there: send a person to the login page, tell a program to show its token."""
        path = path_of(scope)
        if _is_open(path, scope["method"]):
            return None
        token = bearer_token(headers)
        principal = self._who(scope, token)
        if principal is not None:
            put_principal(scope, principal)
            return None
        has_token = token is not None
        if has_token:
            self._wrong_tokens.note(scope)
        if scope["method"] != "GET" or path.startswith(_FOR_PROGRAMS):
            what_to_show = self._what_to_show(root_path_of(scope) + _LOGIN)
            raise Unauthorized(_NOT_KNOWN + what_to_show if has_token else what_to_show)
        wanted = quote(path)
        if query := scope["query_string"].decode("latin-1"):
            wanted += f"?{query}"
        return RedirectResponse(f"{_LOGIN}?next={quote(wanted, safe='/')}", status_code=303)

    def _who(self, scope: Scope, token: bytes | None) -> Principal | None:
        """Return who asks; None for somebody who is to show a token."""
        server = scope["app"].server
        if self._admission == "open":
            return of_this_run(token, server) or ANYBODY
        found = who_asks(token, cookies(scope, COOKIE), server)
        if found is None and self._admission == "local" and token is None:
            return OWNER if is_local(scope) else None
        return found

    def _what_to_show(self, login: str) -> str:
        if self._admission != "local":
            return f"send the header Authorization: Bearer TOKEN, or log in at {login}"
        return (
            "only the user that this server runs as is let in without a token: send the header "
            "that is in the file authorization of the server's data folder (curl -H "
            f"@pooldeck-data/authorization), or log in at {login}"
        )


def _is_open(path: str, method: str) -> bool:
    rules = rules_at(path).get(method, ())
    for rule in rules:  # a generator would cost as much as all else here
        if rule.least is not None:
            return False
    return bool(rules)


def _forbidden(scope: Scope) -> ASGIApp | None:
    """Return who answers what a principal may not do, or what there is not; None if it may."""
    path, method, principal = path_of(scope), scope["method"], principal_of(scope)
    if principal is None:  # it is open
        return None
    here = rules_at(path)
    if method not in here:
        return _nothing(405 if here else 404)
    why = refusal(method, path, principal)
    if why is not None and path == HOME and principal.is_limited:
        return RedirectResponse(_OWN_HOME, status_code=303)
    return None if why is None else _refused(principal, why)


def _nothing(status: int) -> ASGIApp:
    """Answer as the router does where it finds no route: no row of the rules, no way to it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        handler = (await scope["app"].loaded()).exception_handlers[HTTPException]
        await (await handler(request, HTTPException(status)))(scope, receive, send)

    return answer


def _refused(principal: Principal, why: str) -> ASGIApp:
    """Answer what a principal may not do: a browser gets a page, a program a problem."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        _log.info("%s may not %s %s", principal.name, scope["method"], path_of(scope)[:_SHOWN])
        error, request = Forbidden(why), Request(scope, receive)
        shown = (await scope["app"].loaded()).state.refuse(request, error)
        await (shown or problem(error))(scope, receive, send)

    return answer


def _note_failed_login(scope: Scope, address: str) -> None:
    scope["app"].server.actions.note_failed_login(address)


def _failed(error: Exception) -> Response:
    return problem(error) if isinstance(error, PooldeckError) else internal(error)


class _Answer:
    """Adds to the head of an answer what every answer has, and keeps it below the root path."""

    def __init__(self, send: Send, scope: Scope, requests: Requests) -> None:
        self._send = send
        self._scope = scope
        self._requests = requests
        self._begun_at = perf_counter()
        self.started = False
        self.is_whole = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._requests.note(self._scope, message["status"], perf_counter() - self._begun_at)
            headers = [*message.get("headers", ()), *_ALWAYS, self._cache(message)]
            root_path = root_path_of(self._scope)
            message["headers"] = place_headers(headers, root_path) if root_path else headers
        await self._send(message)
        is_body = message["type"] == "http.response.body"
        self.is_whole = is_body and not message.get("more_body", False)

    def _cache(self, message: Message) -> tuple[bytes, bytes]:
        is_static = message["status"] == _OK and path_of(self._scope).startswith(STATIC)
        return _KEPT if is_static else _NOT_KEPT

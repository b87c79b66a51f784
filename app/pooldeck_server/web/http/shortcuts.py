"""The calls that are answered without FastAPI: what is called most, and what is needed first."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pooldeck_server.web.http.mount import path_of
from pooldeck_server.web.http.requests import put_route

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class Shortcuts:
    """Takes some requests past middleware and routing, to the endpoints that they end at.

    Without it a submission takes as long here as an empty FastAPI call with a pydantic body takes
    in all; with it, half of that. Errors are left to the guard, which stands outside.

    Args:
        app: What answers all other requests.
        endpoints: Who answers, by method and path.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[tuple[str, str], Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        if scope["type"] == "http":
            path = path_of(scope)
            endpoint = self._endpoints.get((scope["method"], path))
            if endpoint is not None:
                return _serve(endpoint, path, scope, receive, send)
        return self._app(scope, receive, send)


async def _serve(endpoint: Endpoint, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    put_route(scope, path)
    response = await endpoint(Request(scope, receive, send))
    await response(scope, receive, send)

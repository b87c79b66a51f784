"""FastAPI, with a way in that does not lead through all of its own layers."""

from collections.abc import Awaitable
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from pooldeck_server.runtime.server import Server


class Application(FastAPI):
    """An application whose middleware stands in front of FastAPI's, not behind some of it.

    What is on the way of every submission should pay for nothing that it does not use.

    Attributes:
        server: The running one; there from the start of the lifespan to its end.
    """

    server: Server

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._entrance: ASGIApp = super().__call__

    def put_in_front(self, middleware: type[Any], **options: Any) -> None:
        """Let `middleware` see each request before all that is there already."""
        self._entrance = middleware(self._entrance, **options)

    def __call__(  # type: ignore[override]  # what is passed on is a coroutine, too
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Serve one connection's request, or the lifespan."""
        scope["app"] = self
        return self._entrance(scope, receive, send)

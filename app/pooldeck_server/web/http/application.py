"""What answers requests: a few calls at once, and all others by FastAPI, which is made for them.

    guard ──▶ shortcuts ──▶ compression ──▶ routes: loaded when a request first needs them
                  └─▶ a submission, a probe

What programs need to have tasks run is there from the start. Pages, the other calls of the API, and
FastAPI itself are two thirds of what the web imports: a server that nobody looks at does without.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from starlette.datastructures import State
from starlette.requests import Request
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from pooldeck_server.collector import keeping
from pooldeck_server.runtime.server import Server

if TYPE_CHECKING:  # it loads FastAPI
    from pooldeck_server.web.http.routes import Routes


class Application:
    """An application whose middleware stands in front of everything.

    What is on the way of every submission should pay for nothing that it does not use.

    Args:
        lifespan: Runs the server, and sets `server`, for as long as the application.
        make_routes: Makes what answers the requests that nothing in front of it does.

    Attributes:
        server: The running one; there from the start of the lifespan to its end.
        state: What belongs to the application and has no place of its own.
    """

    server: Server

    def __init__(
        self,
        lifespan: "Callable[[Application], AbstractAsyncContextManager[None]]",
        make_routes: "Callable[[Application], Routes]",
    ) -> None:
        self.state = State()
        self._life = Router(lifespan=lifespan)
        self._make_routes = make_routes
        self._routes: Routes | None = None
        self._making = threading.Lock()
        self._loading: asyncio.Task[Routes] | None = None
        self._entrance: ASGIApp = self._answer

    def put_in_front(self, middleware: Callable[..., ASGIApp], **options: Any) -> None:
        """Let `middleware` see each request before all that is there already."""
        self._entrance = middleware(self._entrance, **options)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection's request, or the lifespan."""
        scope["app"] = self
        return self._entrance(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._life.lifespan(scope, receive, send)
        else:
            await (await self.loaded())(scope, receive, send)

    def load(self) -> "Routes":
        """Return the routes; the first time they are imported and made, which takes a while."""
        with self._making:
            if self._routes is None:
                with keeping():
                    self._routes = self._make_routes(self)
            return self._routes

    async def loaded(self) -> "Routes":
        """Return the routes; where they are made first, the event loop goes on meanwhile."""
        if self._routes is not None:
            return self._routes
        if self._loading is None or self._loading.done():  # done, and no routes: it has failed
            self._loading = asyncio.create_task(asyncio.to_thread(self.load))
        return await asyncio.shield(self._loading)


def server_of(request: Request) -> Server:
    """Return the server that a request is for."""
    server: Server = request.app.server
    return server

"""An application with one route of a test's own, behind the real guard, without a server."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

from pooldeck_server.settings import Settings
from pooldeck_server.web.http import error_handlers, guard
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.routes import Routes


def answering(path: str, endpoint: Callable[..., Awaitable[Any]]) -> Application:
    """Return an application that answers at `path`, which the rules must know."""

    def make_routes(app: Application) -> Routes:
        routes = Routes(app)
        routes.add_api_route(path, endpoint)
        error_handlers.install(routes)
        return routes

    app = Application(lambda _: nullcontext(), make_routes)
    guard.install(app, Settings())
    return app

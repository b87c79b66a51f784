"""Puts the web together: what answers at once, what stands before it, and what is loaded later."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pooldeck_server.settings import Settings
from pooldeck_server.web.api import PREFIX
from pooldeck_server.web.api.probes import is_alive, is_ready
from pooldeck_server.web.api.submit import submit
from pooldeck_server.web.http import guard
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.compression import Compression
from pooldeck_server.web.http.shortcuts import Endpoint, Shortcuts

if TYPE_CHECKING:  # as in `make_routes`
    from pooldeck_server.web.http.routes import Routes

_SHORTCUTS: Final[Mapping[tuple[str, str], Endpoint]] = {
    ("POST", f"{PREFIX}/tasks"): submit,
    ("GET", "/healthz"): is_alive,
    ("GET", "/readyz"): is_ready,
}


def assemble(app: Application, settings: Settings) -> None:
    """Make `app` answer; `app.server` must be there when a request comes.

    A request passes the guard; then a submission goes straight to its endpoint, and any other on
    through what compresses and routes. Pages hold no secret that a reader who can
    write could guess at by their compressed size: writes are protected by where they come from, not
    by a token in the page.
    """
    app.put_in_front(Compression)
    app.put_in_front(Shortcuts, endpoints=_SHORTCUTS)
    guard.install(app, settings)


def make_routes(app: Application) -> "Routes":
    """Return the routes of `app`, imported now: they take as long as the rest of a start."""
    from pooldeck_server.web.routing import routes_of  # noqa: PLC0415  (see above)

    return routes_of(app)

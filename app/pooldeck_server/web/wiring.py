"""Puts the programs' side of the web together: API, login, probes, errors and the guard."""

from pooldeck_server.settings import Settings
from pooldeck_server.web import api
from pooldeck_server.web.api import metrics, openapi
from pooldeck_server.web.api.live import Encoder
from pooldeck_server.web.http import errors, guard
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.compression import Compression
from pooldeck_server.web.pages import login, not_found, oidc


def assemble(app: Application, settings: Settings) -> None:
    """Make `app` answer the calls of the API; `app.server` must be there when one comes.

    A request passes the guard; then a submission goes straight to its endpoint, and any other on
    through what compresses and routes. Pages hold no secret that a reader who can
    write could guess at by their compressed size: writes are protected by where they come from, not
    by a token in the page. Pages and static files may be added before or after.
    """
    app.state.encoder = Encoder()
    app.put_in_front(Compression)
    api.install(app)
    app.include_router(metrics.router)
    app.include_router(login.router)
    app.include_router(oidc.router)
    errors.install(app)
    not_found.install(app)
    openapi.install(app)
    guard.install(app, settings)

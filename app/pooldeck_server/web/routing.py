"""All routes: pages, the API, the login, figures, static files, and what errors look like there.

Whoever imports this imports FastAPI and every page.
"""

from pooldeck_server.web import pages
from pooldeck_server.web.api import metrics, openapi
from pooldeck_server.web.api import routes as api
from pooldeck_server.web.api.live import Encoder
from pooldeck_server.web.http import error_handlers, static_files
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.routes import Routes
from pooldeck_server.web.pages import login, not_found, oidc


def routes_of(app: Application) -> Routes:
    """Return the routes of an application."""
    routes = Routes(app)
    app.state.encoder = Encoder()
    static_files.install(routes)
    pages.install(routes)
    api.install(routes)
    for part in (metrics, login, oidc):
        routes.include_router(part.router)
    error_handlers.install(routes)
    not_found.install(routes)
    openapi.install(routes)
    return routes

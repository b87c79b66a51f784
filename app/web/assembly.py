"""Puts the programs' side of the web together: API, login, probes, errors and the guard."""

from app.settings import Settings
from app.web import api, errors, guard, login, no_such_page, observe, openapi
from app.web.api.live import Encoder
from app.web.application import Application
from app.web.compression import Compression


def assemble(app: Application, settings: Settings) -> None:
    """Make `app` answer the calls of the API; `app.state.service` must be there when one comes.

    Args:
        app: Pages and static files may be added before or after.
        settings: The guard needs them before the service runs.
    """
    app.state.encoder = Encoder()
    app.state.tries = login.Tries()
    api.install(app)
    app.include_router(observe.router)
    app.include_router(login.router)
    errors.install(app)
    no_such_page.install(app)
    openapi.install(app)
    app.put_in_front(Compression)
    guard.install(app, settings)

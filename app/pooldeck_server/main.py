"""The application: what answers, around the server that runs while it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.settings import Settings
from pooldeck_server.web import pages
from pooldeck_server.web.http import static_files
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.assets import check_assets
from pooldeck_server.web.wiring import assemble


def create_app(settings: Settings) -> Application:
    """Return the application; the server itself starts and stops with its lifespan.

    Raises:
        StartupError: If the files that the pages need are missing.
    """
    check_assets()

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        app.state.ending = ending = Ending(settings.grace_seconds)
        async with running(settings, ending=ending) as server:
            app.server = server
            yield

    app = Application(
        title="Pooldeck",
        lifespan=lifespan,
        docs_url=None,  # these pages load their scripts from elsewhere
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # /metrics has the figures
    )
    static_files.install(app)
    pages.install(app)
    assemble(app, settings)
    return app

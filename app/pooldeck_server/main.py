"""The application: what answers, around the server that runs while it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pooldeck_server.domain.addresses import from_here
from pooldeck_server.runtime.lifecycle.beside import beside_a_program
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.service_manager import ServiceManager, notify_socket
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.assets import check_assets
from pooldeck_server.web.wiring import assemble, make_routes


def create_app(settings: Settings) -> Application:
    """Return the application; the server itself starts and stops with its lifespan.

    Raises:
        StartupError: If the files that the pages need are missing.
    """
    check_assets()
    beside = beside_a_program(settings)

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        app.state.ending = ending = Ending(settings.grace_seconds)
        app.state.service_manager = manager = ServiceManager(socket=notify_socket(), ending=ending)
        manager.start()
        if beside is not None:
            beside.watch(ending)
        try:
            address = _address(app, settings)
            async with running(settings, ending=ending, address=address) as server:
                app.server = server
                manager.is_alive = lambda: server.probe.recorder.is_alive
                manager.status = lambda: server.in_short
                yield
        finally:
            await manager.stop()

    app = Application(lifespan, make_routes)
    app.state.beside = beside
    assemble(app, settings)
    return app


def _address(app: Application, settings: Settings) -> str | None:
    """Return where the server is reached from this machine; None where nobody listens for it."""
    bound: tuple[str, int] | None = getattr(app.state, "bound", None)
    return None if bound is None else from_here(*bound, settings.root_path)

"""FastAPI, as the part of the application that finds the route of a request."""

from fastapi import FastAPI

from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.application import Application


class Routes(FastAPI):
    """Routes of an application, whose server and state are theirs."""

    def __init__(self, application: Application) -> None:
        super().__init__(
            title="Pooldeck",
            docs_url=None,  # these pages load their scripts from elsewhere
            redoc_url=None,
            # /metrics has the figures
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        self._application = application
        self.state = application.state

    @property
    def server(self) -> Server:
        """The running server."""
        return self._application.server

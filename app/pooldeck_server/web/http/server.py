"""uvicorn as Pooldeck runs it: streams end on a signal, failures to start are one clear line."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.settings import LimitSettings, Settings
from pooldeck_server.web.http.deadlines import DeadlineProtocol

_BACKLOG: Final = 2048
_LAST_SECONDS: Final = 1  # for connections, when nothing runs any more
_log = logging.getLogger(__name__)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve `app` in this thread until SIGINT or SIGTERM; both end it in good order.

    `app.state.ending` is told when the server is to end, and when it is to hurry.

    Raises:
        StartupError: If the address cannot be listened on, or the app says why it cannot start.
    """
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # this module says what matters
    with listen(settings.host, settings.port) as listener:
        lifespan = _Lifespan(app)
        server = HttpServer(app, Config(lifespan, settings))
        with contextlib.suppress(SystemExit):  # how uvicorn says that the app did not start
            server.run(sockets=[listener])
    if lifespan.failure is not None:
        raise lifespan.failure


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host` and `port`, 0 for a free one.

    Raises:
        StartupError: If the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise StartupError(f"cannot listen on {host}:{port}: {error.strerror}") from error


class Config(uvicorn.Config):
    """uvicorn's configuration, with the limits that `DeadlineProtocol` keeps."""

    limits: LimitSettings

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            loop="uvloop",
            http=DeadlineProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            interface="asgi3",
            proxy_headers=False,  # a submission can do without: see `assemble`
            timeout_graceful_shutdown=2 * _LAST_SECONDS,  # for what outlives its connection
        )
        self.limits = settings.limits


class HttpServer(uvicorn.Server):
    """A server that lets the app end what it runs before it ends itself."""

    def __init__(self, app: FastAPI, config: Config) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            for listener in sockets or ():
                host, port = listener.getsockname()[:2]
                _log.info("Pooldeck is at http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Hand a signal to the app, which knows what it means.

        Unlike uvicorn's own, this does not raise the signal again when all is done: an end in good
        order has exit code 0.
        """
        if self._loop is None:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self) -> None:
        ending: Ending | None = getattr(self._app.state, "ending", None)
        if ending is None:
            self.should_exit = True
            return
        ending.on_signal()
        self._leaving = self._leaving or asyncio.create_task(self._leave(ending))

    async def _leave(self, ending: Ending) -> None:
        await ending.finished.wait()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let connections end, then the app; who still sends or takes after a moment is cut off."""
        cutting = asyncio.get_running_loop().call_later(_LAST_SECONDS, self._cut_off)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


class _Lifespan:
    """Keeps what the app's start or end failed with, instead of logging its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.failure: Exception | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        serve = self._run if scope["type"] == "lifespan" else self._app
        return serve(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_without_traceback(message: Message) -> None:
            await send({"type": message["type"]})

        try:
            await self._app(scope, receive, send_without_traceback)
        except Exception as error:
            self.failure = error
            raise

"""uvicorn as Pooldeck runs it: a signal ends it in good order, failures to start are one line."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Iterator
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pooldeck.end_signals import END_SIGNALS, admit
from pooldeck_server.domain.addresses import authority
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.runtime.access.login_links import LINK_SECONDS
from pooldeck_server.runtime.lifecycle.beside import Beside
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.service_manager import ServiceManager
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.protocol.connection import Connection, SharedBounds
from pooldeck_server.web.http.protocol.socket_owners import way_to_know

_BACKLOG: Final = 2048
_TICKS: Final = 10  # of uvicorn's, in a second; its clock is set when so many have passed
_LAST_SECONDS: Final = 1  # for connections, when nothing runs any more
# What is left to the system cannot be seen to wait: it would take megabytes for a silent reader.
_NOT_SENT: Final = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_MOST_NOT_SENT: Final = 128 * 1024  # bytes
_IN_USE: Final = "something listens there already; choose another port by --port"
_SAID_ELSEWHERE: Final = frozenset(
    f"Application {part} failed. Exiting." for part in ("startup", "shutdown")
)
_log = logging.getLogger(__name__)


def serve(app: Application, settings: Settings) -> None:
    """Serve `app` in this thread until SIGINT, SIGTERM or SIGHUP; all end it in good order.

    SIGHUP is what a terminal sends that is closed; under `nohup` it is ignored, and stays so.
    `app.state.bound` is the host and the port that are listened on, from before the app starts.
    `app.state.ending` is told when the server is to end, and when it is to hurry.

    Raises:
        StartupError: If the address cannot be listened on, or the app says why it cannot start.
    """
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # this module says what matters
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    with listen(settings.host, settings.port) as listener:
        lifespan = _Lifespan(app)
        server = HttpServer(app, Config(lifespan, settings))
        with contextlib.suppress(SystemExit):  # how uvicorn says that the app did not start
            server.run(sockets=[listener])
    # What is left is the interpreter's end, which gives signals back their defaults.
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    _forget_dead_terminal()
    if app.state.beside is not None:
        app.state.beside.clear()
    if lifespan.failure is not None:
        raise lifespan.failure


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether uvicorn says more than that the app has failed: why, its caller is told."""
    return record.msg not in _SAID_ELSEWHERE


def _forget_dead_terminal() -> None:
    """Drop what could not be written as the terminal is gone: it is no reason for an exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host` and `port`, 0 for a free one.

    Raises:
        StartupError: If the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        words = _IN_USE if error.errno == errno.EADDRINUSE else _bare(error)
        raise StartupError(f"cannot listen on {host}:{port}: {words}") from error
    if _NOT_SENT is not None:
        listener.setsockopt(socket.IPPROTO_TCP, _NOT_SENT, _MOST_NOT_SENT)
    return listener


def _bare(error: OSError) -> str:
    """Return what the system says, without the address, which `socket` adds to it."""
    return (error.strerror or str(error)).partition(" (while")[0]


class Config(uvicorn.Config):
    """uvicorn's configuration, with what its connections share."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            loop="uvloop",
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # `requests` has it
            server_header=False,
            interface="asgi3",
            proxy_headers=False,  # the guard knows proxies
            timeout_graceful_shutdown=2 * _LAST_SECONDS,  # for what outlives its connection
        )
        self.bounds = SharedBounds(settings.limits)


class HttpServer(uvicorn.Server):
    """A server that lets the app end what it runs before it ends itself."""

    def __init__(self, app: Application, config: Config) -> None:
        super().__init__(config)
        self._app = app
        app.state.bounds = config.bounds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told = asyncio.Event()  # to end
        self._leaving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that ask to end, in the main thread: others are given none.

        They stay taken: the end that one has begun is not to be spoilt by the next.
        """
        if threading.current_thread() is threading.main_thread():
            for number in END_SIGNALS:
                if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, self.handle_exit)
            admit()
        try:
            yield
        finally:
            self._loop = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, unless it was told to end before that, and take connections."""
        self._loop = asyncio.get_running_loop()
        if self.should_exit:
            _log.info("told to end before it had started")
            return
        way_to_know()  # before there are requests, and while there are descriptors to try it with
        bound = [listener.getsockname()[:2] for listener in sockets or ()]
        if bound:
            self._app.state.bound = bound[0]
        await super().startup(sockets)
        if self.started:
            self._follow_the_app()
            for host, port in bound:
                _log.info("Pooldeck is at http://%s", authority(host, port))
            self._say_how_to_log_in()
            self._tell_the_program(bound)

    async def main_loop(self) -> None:
        """Set the clock of the answers' heads once a second, until the server is told to end.

        uvicorn's own looks ten times a second whether it is.
        """
        while not await self.on_tick(_TICKS):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._is_told.wait()

    def _tell_the_program(self, bound: list[tuple[str, int]]) -> None:
        """Tell the program beside which this server runs, if there is one, where it is."""
        beside: Beside | None = getattr(self._app.state, "beside", None)
        if beside is not None:
            for host, port in bound:
                beside.tell(f"http://{authority(host, port)}")

    def _say_how_to_log_in(self) -> None:
        """Say how a browser gets in that is not known to be the server's own user's.

        To somebody who looks, and to no log: others may read that. `pooldeck link` makes more.
        """
        server: Server | None = getattr(self._app, "server", None)
        if server is not None and server.links is not None and sys.stderr.isatty():
            _log.info(
                "%s, once and within %d minutes: %s",
                "to log in" if way_to_know() is None else "to log in by another user's browser",
                LINK_SECONDS // 60,
                server.links.make(),
            )

    def _follow_the_app(self) -> None:
        """Leave when the app has ended what it runs, whoever told it to; say that it is ready."""
        ending: Ending | None = getattr(self._app.state, "ending", None)
        if ending is not None:
            self._leaving = asyncio.create_task(self._leave(ending))
        service: ServiceManager | None = getattr(self._app.state, "service_manager", None)
        if service is not None:
            service.is_ready.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Hand a signal to the app, which knows what it means.

        Unlike uvicorn's own, this does not raise the signal again when all is done: an end in good
        order has exit code 0.
        """
        if self._loop is None:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._pass_on, sig)

    def _pass_on(self, number: int) -> None:
        ending: Ending | None = getattr(self._app.state, "ending", None)
        if ending is None:
            self._leave_now()
            return
        ending.on_signal(number)
        self._leaving = self._leaving or asyncio.create_task(self._leave(ending))

    async def _leave(self, ending: Ending) -> None:
        await ending.finished.wait()
        self._leave_now()

    def _leave_now(self) -> None:
        self.should_exit = True
        self._is_told.set()

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

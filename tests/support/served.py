"""A real server in a thread of the test process, with real workers, on a free port."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pooldeck_server.main import create_app
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.server import Config, HttpServer, listen
from tests import FUNCTIONS
from tests.support.no_tls import NO_TLS
from tests.support.stored import make
from tests.support.waiting import eventually

BOUND = 120.0  # seconds that anything may take
WEB_FUNCTIONS = "web_functions"
POOLS = {
    "cpu": {"kind": "process", "size": 1, "spare": 0},
    "io": {"kind": "thread", "size": 2},
    "solo": {"kind": "process", "size": 1, "spare": 0},
}


class Served:
    """A server that runs; `http` is a client for it that knows no token."""

    def __init__(self, app: Application, settings: Settings, port: int) -> None:
        self.app = app
        self.settings = settings
        self.port = port
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=BOUND, verify=NO_TLS)

    def submit(self, function: str, *args: Any, wait: float = 20, **body: Any) -> httpx.Response:
        """Submit `function` with `args`."""
        name = f"{WEB_FUNCTIONS}.{function}"
        return self.http.post(
            "/api/v1/tasks",
            params={"wait": wait},
            json={"function": name, "args": args} | body,
        )


@contextmanager
def served(data: Path, **settings: Any) -> Iterator[Served]:
    """Run a server on the folder `data` while the body runs."""
    usual: dict[str, Any] = {"functions": (WEB_FUNCTIONS,), "pools": POOLS, "grace_seconds": 0.5}
    chosen = Settings(port=0, data=data, **usual | settings)
    make(data / "pooldeck.sqlite3")
    app = create_app(chosen)
    app.load()  # so that no test waits for that in the middle of what it watches
    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("PYTHONPATH", str(FUNCTIONS), prepend=os.pathsep)
        listener = stack.enter_context(listen(chosen.host, chosen.port))
        stack.enter_context(_running(app, chosen, listener))
        result = Served(app, chosen, listener.getsockname()[1])
        stack.enter_context(closing(result.http))
        eventually(lambda: result.http.get("/readyz").status_code == 200, "submissions are taken")
        yield result


@contextmanager
def _running(app: Application, settings: Settings, listener: socket.socket) -> Iterator[None]:
    server = HttpServer(app, Config(app, settings))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield
    finally:
        server.handle_exit(signal.SIGTERM, None)
        thread.join(BOUND)
        assert not thread.is_alive()


@contextmanager
def connected(server: Served) -> Iterator[socket.socket]:
    """Open a connection to `server`, for requests that no client would send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=BOUND) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)

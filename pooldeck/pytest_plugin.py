"""Fixtures for tests of one's own code: `deck_server`, a real server, and `deck_inline`, a double.

pytest loads this in every run, so it imports nothing that takes time. What the fixtures need comes
with their first use.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pooldeck.beside.server import Server
    from pooldeck.client.client import Client

_NAME: Final = "pooldeck_functions"
_NEEDED: Final = "the fixtures of Pooldeck need its server: pip install 'pooldeck[server]'"
_NEW: Final = ("scheduled", "queued", "running")
_WHOLE: Final = 500  # tasks of a page

Servers = Callable[[tuple[str, ...]], "Server"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names the modules."""
    parser.addini(
        _NAME, "modules with @task functions that deck_server and deck_inline serve", type="args"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the mark that names them for a test."""
    config.addinivalue_line(
        "markers", f"{_NAME}(*modules): the modules that deck_server and deck_inline serve"
    )


class TaskDeck:
    """Where the tasks of a test go, and what became of them.

    Attributes:
        client: A `pooldeck.Client`; `add.submit(...)` and the like use it too.
        url: Where the server is; "inline://" where there is none.
    """

    def __init__(self, client: "Client", url: str, drain: Callable[[float], object]) -> None:
        self.client = client
        self.url = url
        self._drain = drain

    @property
    def tasks(self) -> list[Any]:
        """The records of what this test has submitted, in that order, as the API has them."""
        return list(self.client.tasks())[::-1]

    def drain(self, timeout: float = 60.0) -> list[Any]:
        """Have all tasks run to their ends, and what these submit; return the records of all.

        The double lets no time pass: what waits for a moment runs now. The server waits for it.

        Args:
            timeout: For how many seconds the server may take.

        Raises:
            TimeoutError: If they have not ended within that time.
        """
        self._drain(timeout)
        return self.tasks


@pytest.fixture(scope="session")
def deck_settings() -> dict[str, Any]:
    """The settings of the server of `deck_server`, as in `pooldeck.toml`; to be overridden."""
    return {}


@pytest.fixture(scope="session")
def _deck_servers(
    deck_settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Servers]:
    """Start a server for each set of modules, once in a run."""
    started: dict[tuple[str, ...], Server] = {}

    def server(modules: tuple[str, ...]) -> "Server":
        if modules not in started:
            data = tmp_path_factory.mktemp("pooldeck")
            started[modules] = _started(modules, data, deck_settings)
        return started[modules]

    yield server
    for each in started.values():
        each.stop()


def _started(modules: tuple[str, ...], data: Path, settings: dict[str, Any]) -> "Server":
    from pooldeck.beside.server import Server  # noqa: PLC0415 - with the first use

    usual: dict[str, Any] = {"hold_after": 0, "grace_seconds": 0, "durability": "normal"}
    return Server(modules, data=data, **usual | settings).start()


@pytest.fixture
def deck_server(request: pytest.FixtureRequest, _deck_servers: Servers) -> Iterator[TaskDeck]:
    """A real server in a temporary folder, with real workers.

    It starts once in a run and is empty at the beginning of each test: what a test leaves is ended
    and deleted.
    """
    server = _deck_servers(_modules(request))
    with server.client() as client, _used(client):
        try:
            yield TaskDeck(client, server.url, lambda seconds: _wait_for_all(client, seconds))
        finally:
            _clean(client)


@pytest.fixture
def deck_inline(request: pytest.FixtureRequest) -> Iterator[TaskDeck]:
    """A double of the server: tasks run in the thread that submits them, at once.

    Arguments and results make the same way through JSON as with a server, and submissions are
    checked by its code. What waits for a time runs when the test calls `drain()`.
    """
    try:
        from pooldeck_server.inline.client import InlineClient  # noqa: PLC0415 - first use
        from pooldeck_server.inline.engine import InlineEngine  # noqa: PLC0415
        from pooldeck_server.inline.functions import InlineFunctions  # noqa: PLC0415
    except ModuleNotFoundError as error:
        pytest.fail(f"{_NEEDED} ({error})", pytrace=False)
    engine = InlineEngine(InlineFunctions(_modules(request)))
    with InlineClient(engine) as client, _used(client):
        yield TaskDeck(client, "inline://", lambda _: engine.drain())


def _modules(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return the modules that a test is marked with, else those of the setting."""
    marker = request.node.get_closest_marker(_NAME)
    return tuple(request.config.getini(_NAME) if marker is None else marker.args)


@contextmanager
def _used(client: "Client") -> Iterator[None]:
    """Let `add.submit(...)` and the like go to a client for the time of the block."""
    from pooldeck.client.default import use  # noqa: PLC0415 - with the first use

    before = use(client)
    try:
        yield
    finally:
        use(before)


def _wait_for_all(client: "Client", seconds: float) -> None:
    """Return when no task is left that has not ended."""
    import time  # noqa: PLC0415 - with the first use
    from concurrent.futures import wait  # noqa: PLC0415

    until = time.monotonic() + seconds
    while waiting := list(client.tasks(state=_NEW, limit=_WHOLE)):
        futures = [client.future(each["id"]) for each in waiting]
        _, left = wait(futures, until - time.monotonic())
        if left:
            named = ", ".join(f"{each['function']} ({each['state']})" for each in waiting[:5])
            raise TimeoutError(f"{len(left)} tasks have not ended within {seconds:g} s: {named}")


def _clean(client: "Client") -> None:
    """End and delete what a test has left."""
    if any(client.tasks(state=_NEW, limit=1)):
        client.request("POST", "/tasks/cancel", {"all": True, "kill": True})
        _wait_for_all(client, 60.0)
    for pipeline in client.request("GET", "/pipelines")["items"]:
        body = {"filter": {"pipeline": [pipeline["id"]]}}
        client.request("POST", "/tasks/delete", body)
    client.request("POST", "/tasks/delete", {"all": True})

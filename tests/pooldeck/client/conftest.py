"""What the tests of the client share."""

from collections.abc import Iterator

import pytest

from pooldeck import Client
from tests.functions import client_functions
from tests.support.served import Served, served


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the functions that clients submit."""
    folder = tmp_path_factory.mktemp("client")
    with served(folder, functions=(client_functions.MODULE,)) as running:
        yield running


@pytest.fixture(scope="session")
def url(server: Served) -> str:
    """Where the server is."""
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """A client of the server."""
    with Client(url, timeout=30) as client:
        yield client

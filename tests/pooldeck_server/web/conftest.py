"""What the tests of the web share."""

from collections.abc import Iterator

import pytest

from tests.support.served import Served, served

TOKEN = "a-token-of-the-tests-long-enough"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without a token."""
    with served(tmp_path_factory.mktemp("open")) as running:
        yield running


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a token."""
    with served(tmp_path_factory.mktemp("locked"), token=TOKEN) as running:
        yield running

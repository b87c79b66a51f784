"""A server for the commands of a module, and the commands."""

from collections.abc import Iterator

import pytest

from tests.support.commands import Commands
from tests.support.served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def pooldeck(server: Served, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(server, capfd)

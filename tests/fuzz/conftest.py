"""What the tests of the fuzz share."""

from collections.abc import Iterator

import pytest

from tests.fuzz.target import Target, fuzzed


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server that anything may be sent to."""
    with fuzzed(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running

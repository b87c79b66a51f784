"""A server that stands through many faults, and is judged at the end of them all."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.faults.client import Client
from tests.faults.deployment import Deployment, deployed
from tests.faults.oracle import violations
from tests.faults.prober import probing
from tests.faults.visitor import visited


class Standing:
    """A server of long life, its client, and the workers that tests killed under it."""

    def __init__(self, deployment: Deployment, client: Client) -> None:
        self.deployment = deployment
        self.client = client
        self.killed: set[int] = set()


@pytest.fixture(scope="package")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A server that all tests share who do it no harm but through tasks; in the end, the oracle."""
    folder = tmp_path_factory.mktemp("standing")
    with deployed(folder) as deployment, Client(deployment) as client:
        shared = Standing(deployment, client)
        with probing(lambda: deployment.url) as prober:
            yield shared
        found = violations(
            deployment, client.ledger, killed=shared.killed, prober=prober, most_seconds=1.0
        )
        assert found + visited(deployment, Random(0), most=150) == []
    assert deployment.families[-1].left_in_the_end() == []

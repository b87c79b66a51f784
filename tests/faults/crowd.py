"""Clients that submit one task after the other, until the server is gone under them."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.faults.client import Client
from tests.faults.deployment import Deployment
from tests.faults.ledger import Ledger

_CLIENTS = 3
_SUBMISSIONS = 150  # of each client: a server that is slow to die leaves no more than that to run
_MIX: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("add", (1, 2)),
    ("add", (3, 4)),
    ("sleep", (0.02,)),
    ("sleep_again", (0.05,)),
    ("fail_until", (2,)),
)


@contextmanager
def submitting(
    deployment: Deployment, ledger: Ledger, chance: random.Random, each: int = _SUBMISSIONS
) -> Iterator[None]:
    """Submit from several clients while the body runs, until the server ends or all have `each`."""
    clients = [
        threading.Thread(
            target=_submit, args=(deployment, ledger, random.Random(chance.random()), each)
        )
        for _ in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        for client in clients:
            client.join()


def _submit(deployment: Deployment, ledger: Ledger, chance: random.Random, each: int) -> None:
    with Client(deployment, ledger) as client, suppress(httpx.TransportError):
        for _ in range(each):
            function, arguments = chance.choice(_MIX)
            pool = chance.choice(["cpu", "io"])
            client.send(client.intend(function, *arguments, pool=pool))

"""Clients that submit a mix of tasks all the time, whatever happens to the server."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.faults.client import Client
from tests.faults.deployment import Deployment
from tests.faults.ledger import Ledger

_CLIENTS = 2
_PAUSE = 0.06  # seconds on average between two submissions of one client
Chance = random.Random
_MIX: tuple[Callable[[Chance], tuple[str, tuple[object, ...]]], ...] = (
    lambda chance: ("add", (chance.randint(0, 9), 2)),
    lambda chance: ("sleep", (round(chance.uniform(0.01, 0.3), 3),)),
    lambda chance: ("sleep_again", (round(chance.uniform(0.01, 0.3), 3),)),
    lambda chance: ("fail_until", (chance.choice([1, 2, 3, 9]),)),
    lambda chance: ("flood_log", (chance.randint(1, 500),)),
    lambda chance: ("end_badly", (chance.choice(["object", "nan", "hostile", "two_part"]),)),
)


@contextmanager
def loaded(deployment: Deployment, ledger: Ledger, chance: Chance) -> Iterator[None]:
    """Submit while the body runs."""
    over = threading.Event()
    clients = [
        threading.Thread(target=_submit, args=(deployment, ledger, Chance(chance.random()), over))
        for _ in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        over.set()
        for client in clients:
            client.join()


def _submit(deployment: Deployment, ledger: Ledger, chance: Chance, over: threading.Event) -> None:
    with Client(deployment, ledger) as client:
        while not over.wait(chance.expovariate(1 / _PAUSE)):
            function, arguments = chance.choice(_MIX)(chance)
            options: dict[str, object] = {"pool": chance.choice(["cpu", "io"])}
            if chance.random() < 0.1:
                options["delay"] = round(chance.uniform(0.1, 2), 2)
            with suppress(httpx.TransportError):  # the entry stays open
                client.send(client.intend(function, *arguments, **options))

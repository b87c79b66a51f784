"""What the faults of the soak are done to, and what has to be remembered of them."""

import random
from typing import Any

from msgspec import Struct

from tests.faults.client import Client
from tests.faults.deployment import CONFIG, Deployment
from tests.faults.prober import Prober

SOAK_CONFIG = CONFIG.replace("size = 4", "size = 8\nqueue_limit = 400").replace(
    "size = 2", "size = 3\nqueue_limit = 400"
)
SIZES = {"cpu": 3, "io": 8}


class Site(Struct, frozen=True):
    """A server under load. `killed` has the workers that were killed from outside, by pid."""

    deployment: Deployment
    client: Client
    prober: Prober
    chance: random.Random
    killed: set[int]

    def pool(self) -> str:
        """Return a pool's name."""
        return self.chance.choice(list(SIZES))

    def worker(self) -> Any:
        """Return a worker that takes calls, or is about to."""
        workers = self.deployment.get(f"/pools/{self.pool()}")["workers"]
        ready = [each for each in workers if each["state"] in {"idle", "busy", "spare"}]
        return self.chance.choice(ready) if ready else None

    def task(self, *states: str) -> Any:
        """Return one of the latest tasks in any of `states`; None if there is none."""
        query = "&".join(f"state={state}" for state in states)
        tasks = self.deployment.get(f"/tasks?{query}&limit=50")["items"]
        return self.chance.choice(tasks) if tasks else None

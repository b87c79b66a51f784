"""What the faults of hosts are done to, by its parts; and what starts again what has ended."""

import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.faults import effects, processes
from tests.faults.client import Client
from tests.faults.deployment import WORKER_PATH, Deployment, deployed
from tests.faults.processes import Family
from tests.support.dask_cluster import Cluster, cluster
from tests.support.host_relay import HostRelay

HOSTS = ("host-a", "host-b")
LEASE, MARGIN = 2.0, 1.0  # seconds
PAST_LEASE = LEASE + MARGIN + 0.5
_CONFIG = """
functions = ["fault_functions"]
grace_seconds = 0.5
hold_after = 0

[hosts]
listen = "127.0.0.1:{port}"
address = "127.0.0.1:{relay}"
lease_seconds = {lease}
renew_seconds = 0.2
margin_seconds = {margin}

[pools.io]
kind = "thread"
size = 1

[pools.cpu]
kind = "thread"
size = 1

[pools.big]
kind = "process"
size = 2
spare = 0
hosts = {{ engine = "dask", scheduler = "{scheduler}", count = 2 }}
"""


class HostSite:
    """A server, its hosts, and the Dask cluster that places them.

    Attributes:
        done: How often which fault was done.
        killed: The process ids of workers that were killed or stopped from outside.
    """

    def __init__(
        self,
        *,
        deployment: Deployment,
        client: Client,
        dask: Cluster,
        relay: HostRelay,
        family: Family,
        chance: random.Random,
    ) -> None:
        self.deployment = deployment
        self.client = client
        self.dask = dask
        self.relay = relay
        self.chance = chance
        self.done: Counter[str] = Counter()
        self.killed: set[int] = set()
        self._family = family

    # Its parts, by process id. An IndexError says that there is none now.

    def server(self) -> int:
        return self.deployment.process.pid

    def companion(self) -> int:
        return self._children(self.server(), "pooldeck.engines")[0]

    def scheduler(self) -> int:
        return self.dask.scheduler

    def nanny(self) -> int:
        return self.dask.nannies[self.chance.choice(HOSTS)].pid

    def dask_worker(self) -> int:
        found = [self.dask.worker_of(name) for name in HOSTS if self._has_nanny(name)]
        return self.chance.choice([pid for pid in found if pid])

    def host(self) -> int:
        return self.chance.choice(list(self.host_processes()))

    def keeper(self) -> int:
        return self._children(self.host(), "marks.py")[0]

    def worker(self) -> int:
        return self.chance.choice(self._children(self.host(), "start.py"))

    def host_processes(self) -> dict[int, str]:
        """Return the name of each host that runs, by its process id."""
        found = {}
        for process in self._family.members():
            with suppress(psutil.Error):
                words = process.cmdline()
                if "pooldeck.hosts" in words and process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = words[words.index("--name") + 1]
        return found

    def _children(self, pid: int, program: str) -> list[int]:
        found = []
        for child in psutil.Process(pid).children():
            with suppress(psutil.Error):
                if any(program in word for word in child.cmdline()):
                    found.append(child.pid)
        return found

    def _has_nanny(self, name: str) -> bool:
        return self.dask.nannies[name].poll() is None

    # As the units of an admin do.

    def mend(self) -> None:
        """Start again what has ended of the server and of Dask."""
        self.dask.forget_gone()
        if self.deployment.has_ended:
            left = self.deployment.families[-1].left_in_the_end()
            assert left == [], f"the server is gone, these are not: {left}"
            self.deployment.start()
            self.client.settle()
        if not self.dask.has_scheduler:
            self.dask.start_scheduler()
        for name in HOSTS:
            if not self._has_nanny(name):
                self.dask.start_worker(name)

    def attached(self) -> list[str]:
        """Return the names of the hosts that take calls."""
        hosts = self.deployment.get("/pools/big")["hosts"]
        return sorted(each["name"] for each in hosts if each["state"] == "attached")

    def settle(self, seconds: float) -> bool:
        """Mend until both hosts are there, or the time is over; tell whether they are."""
        until = time.monotonic() + seconds
        while not (whole := self.attached() == list(HOSTS)) and time.monotonic() < until:
            self.mend()
            time.sleep(0.1)
        return whole

    def orphans(self) -> list[str]:
        """Return what runs below Dask or hosts and belongs to none of them any more."""
        family = {each.pid: each for each in self._family.members()}
        own = {*self.host_processes(), self.scheduler()}
        own |= {nanny.pid for nanny in self.dask.nannies.values()}
        found = []
        for pid, process in family.items():
            with suppress(psutil.Error):
                if pid not in own and process.ppid() not in family:
                    found.append(f"{pid} {' '.join(process.cmdline())[:100]}")
        return found


@contextmanager
def host_site(folder: Path, chance: random.Random) -> Iterator[HostSite]:
    """Run a server with two hosts that Dask places; nothing outlives the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    relay, family = HostRelay(HOSTS, port), Family(secrets.token_hex(8))
    environment = {
        "PYTHONPATH": WORKER_PATH,
        effects.VARIABLE: str(folder / "effects"),
        processes.VARIABLE: family.mark,
    }
    (folder / "dask").mkdir()
    try:
        with cluster(folder / "dask", HOSTS, environment=environment) as dask:
            config = _CONFIG.format(
                port=port, relay=relay.port, lease=LEASE, margin=MARGIN, scheduler=dask.address
            )
            with deployed(folder, config) as deployment, Client(deployment) as client:
                yield HostSite(
                    deployment=deployment,
                    client=client,
                    dask=dask,
                    relay=relay,
                    family=family,
                    chance=chance,
                )
        assert family.left_in_the_end() == []
    finally:
        family.end()
        relay.close()

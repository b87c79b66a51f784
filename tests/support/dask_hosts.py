"""A remote pool whose hosts Dask offers: a real cluster, companion, host processes and workers."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pooldeck.engines.port import EngineSpec, HostTask
from pooldeck.hosts.model import HostTerms
from pooldeck.kinds import PoolKind
from pooldeck.pools.model import PoolSpec
from pooldeck_server.runtime.hosts.companion import EngineCompanion
from tests import FUNCTIONS
from tests.support.dask_cluster import Cluster, cluster
from tests.support.hosted import QUICK, Hosts
from tests.support.marked_processes import new_boot
from tests.support.pooled import BOUND, eventually


class DaskHosts:
    """What tests look at, and do harm to."""

    def __init__(self, hosts: Hosts, dask: Cluster, companion: EngineCompanion) -> None:
        self.hosts = hosts
        self.pool = hosts.pool
        self.listener = hosts.listener
        self.dask = dask
        self.companion = companion

    @property
    def attached(self) -> dict[str, Any]:
        """The hosts that are there and take calls, by name."""
        return {host.name: host for host in self.pool.hosts if host.state == "attached"}

    @property
    def boots(self) -> dict[str, str]:
        return {name: host.boot for name, host in self.attached.items()}

    @property
    def held(self) -> set[str]:
        """The names of the hosts that an agent holds."""
        return {offer.host for offer in self.companion.offers}

    def adopted(self, name: str) -> bool:
        """Tell whether the agent that holds a host has found it there."""
        return any(offer.host == name and offer.is_adopted for offer in self.companion.offers)

    async def until(self, is_so: Callable[[], bool]) -> None:
        await eventually(is_so)

    async def settled(self, *names: str) -> None:
        """Return when these hosts, and no others, are attached, held and ready."""
        slots = len(names) * self.hosts.spec.size
        await eventually(lambda: set(self.attached) == self.held == set(names))
        await eventually(lambda: self.pool.free + self.pool.busy >= slots)


@asynccontextmanager
async def dask_hosts(
    folder: Path,
    workers: Sequence[str] = ("host-a", "host-b"),
    *,
    wanted: int = 2,
    size: int = 2,
    terms: HostTerms = QUICK,
    orphaned_seconds: float = 60.0,
    modules: tuple[str, ...] = ("pool_functions",),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[DaskHosts]:
    """Run a pool, a cluster and a companion for the time of the block; nothing outlives it."""
    terms = HostTerms(
        f"deck{new_boot()}", terms.term, terms.lease, terms.renew, terms.margin, terms.rate_bound
    )
    path = os.pathsep.join([str(FUNCTIONS), os.environ.get("PYTHONPATH", "")])
    kind = PoolKind("process")
    spec = PoolSpec(name="p", kind=kind, size=size, modules=modules, boot_seconds=BOUND)
    hosts = Hosts(folder, spec, terms)
    await hosts.listen()
    environment = {"PYTHONPATH": path, **(environment or {})}
    with cluster(folder, workers, environment=environment) as dask:
        task = HostTask(
            *(terms.deck, terms.term, "p", f"127.0.0.1:{hosts.port}", "secret"),
            version("pooldeck"),
            silence=terms.lease + terms.margin,
        )
        engine = EngineSpec(dask.address, task)
        pool: Any = hosts.pool
        companion = EngineCompanion("dask", engine, pool, wanted, orphaned_seconds=orphaned_seconds)
        companion.start()
        running = DaskHosts(hosts, dask, companion)
        try:
            yield running
        finally:
            await companion.stop()  # else it asks for others in the place of those that end
            await hosts.close()
            await _gone(terms.deck)


async def _gone(deck: str) -> None:
    """Return when no host process of a deck is left: each ended as the pool did."""
    await eventually(lambda: not host_processes(deck))


def host_processes(deck: str) -> dict[str, int]:
    """Return the process id of each host process of a deck, by its host's name."""
    found: dict[str, int] = {}
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = each.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "pooldeck.hosts" in arguments and any(text.startswith(f"{deck}-") for text in arguments):
            found[arguments[arguments.index("--name") + 1]] = int(each.parent.name)
    return found

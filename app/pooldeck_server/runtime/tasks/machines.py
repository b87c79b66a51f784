"""The machines of a pool: what each has, and which one a worker is on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from pooldeck import needs
from pooldeck.hosts.model import HostSnapshot, HostState
from pooldeck.pools.port import PoolPort
from pooldeck_server.domain.tasks.needs import Amounts

_THERE: Final = frozenset({HostState.ATTACHED, HostState.NO_CONTACT, HostState.DRAINING})


@runtime_checkable
class HostedPool(Protocol):
    """What is asked here of a pool whose workers are on hosts."""

    @property
    def hosts(self) -> Sequence[HostSnapshot]:
        """All boots of hosts, the oldest first."""

    def host_of(self, worker: str) -> str | None:
        """Return the name of the host that a worker is on, or was; None if it is not known."""


class Machines(Protocol):
    """What the dispatcher of a pool has to know of the machines that its workers are on."""

    def has(self) -> Mapping[str, Amounts]:
        """Return what each machine has, by its name."""

    def of(self, worker: str) -> str | None:
        """Return the machine that a worker is on; None if it is not known."""

    @property
    def are_several(self) -> bool:
        """Tell whether a call can be on one machine and not on another."""


@dataclass(frozen=True)
class OwnMachine:
    """The server's machine, that all workers of a pool are on."""

    amounts: Amounts

    are_several = False

    def has(self) -> Mapping[str, Amounts]:
        return {"": self.amounts}

    def of(self, worker: str) -> str | None:  # noqa: ARG002 - all are on it
        return ""


class HostMachines:
    """The hosts of a pool, as they come and go."""

    are_several = True

    def __init__(self, pool: HostedPool) -> None:
        self._pool = pool

    def has(self) -> Mapping[str, Amounts]:
        return {
            host.name: needs.of_machine(host.machine.cpus, host.machine.memory_bytes, host.has)
            for host in self._pool.hosts
            if host.state in _THERE
        }

    def of(self, worker: str) -> str | None:
        return self._pool.host_of(worker)


def machines_of(pool: PoolPort, own: Amounts) -> Machines:
    """Return the machines of a pool; `own` is what the server's has."""
    return HostMachines(pool) if isinstance(pool, HostedPool) else OwnMachine(own)

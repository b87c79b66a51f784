"""The hosts of a pool as they are at this moment, in the times of people's clocks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from pooldeck.hosts.model import HostSnapshot
from pooldeck.hosts.wire import Machine
from pooldeck.pools.model import PoolState
from pooldeck_server.domain.clock import Clock, span
from pooldeck_server.domain.pools.hosts import STANDING, HostHealth, HostState, HostTask


class RefusedHost(Protocol):
    """A host that was turned away."""

    @property
    def name(self) -> str:
        """What it is called; "" where it did not say that."""

    @property
    def address(self) -> str:
        """Where it dialled from."""

    @property
    def why(self) -> str:
        """Why it was turned away, in a sentence."""

    @property
    def at(self) -> float:
        """The latest time, in seconds of the monotonic clock."""

    @property
    def since(self) -> float:
        """The first time in a row."""

    @property
    def machine(self) -> Machine:
        """What it is on, as far as it said that."""

    @property
    def versions(self) -> Mapping[str, str]:
        """What it has."""


class HostNews(Struct, frozen=True):
    """What is known of a pool's hosts beside those that attached to it."""

    refused: Sequence[RefusedHost] = ()
    engine: str | None = None  # why the engine that is to place hosts does not, in a sentence
    wanted: int | None = None  # hosts that the engine is asked for; None: there is none


def no_news(_pool: str) -> HostNews:
    """Return that nothing is known."""
    return HostNews()


def hosts_of(
    pool: str,
    hosts: Sequence[HostSnapshot] | None,
    clock: Clock,
    refused: Sequence[RefusedHost] = (),
) -> tuple[HostHealth, ...] | None:
    """Return the hosts of a pool: those on which something may run first, each kind by its name.

    None where the pool lives on the server's own machine.
    """
    if hosts is None:
        return None
    found = _Times(clock).all(pool, hosts, refused)
    return tuple(sorted(found, key=lambda host: (host.state not in STANDING, host.name)))


class _Times:
    """Turns seconds of the monotonic clock into microseconds since the epoch, at one moment."""

    def __init__(self, clock: Clock) -> None:
        self._now, self._monotonic = clock.now(), clock.monotonic()

    def _moment(self, at: float) -> int:
        return self._now - span(self._monotonic - at)

    def _optional(self, at: float | None) -> int | None:
        return None if at is None else self._moment(at)

    def all(
        self, pool: str, hosts: Sequence[HostSnapshot], refused: Sequence[RefusedHost]
    ) -> Iterator[HostHealth]:
        yield from (self._host(pool, each) for each in hosts)
        yield from (self._refused(pool, each) for each in refused)

    def _host(self, pool: str, host: HostSnapshot) -> HostHealth:
        return HostHealth(
            name=host.name,
            pool=pool,
            boot=host.boot,
            state=HostState(host.state),
            reason=host.reason,
            hostname=host.machine.hostname,
            machine=host.machine.id,
            address=host.address,
            cpus=host.machine.cpus,
            since=self._moment(host.attached_at),
            last_contact=self._moment(host.last_contact),
            lost_at=self._optional(host.lease_until),
            gone_at=self._optional(host.gone_at),
            gone_by=host.gone_by,
            pool_state=host.pool_state,
            slots=host.slots,
            busy=host.busy,
            workers=host.workers,
            tasks=tuple(
                HostTask(run.call.task, run.call.function, is_started=run.started_at is not None)
                for run in host.calls
            ),
            load=host.load,
            memory_bytes=host.memory_bytes or None,
            memory_used=host.memory_used,
            code=host.code_version or None,
            versions=host.versions,
            has=host.has,
        )

    def _refused(self, pool: str, host: RefusedHost) -> HostHealth:
        return HostHealth(
            name=host.name or host.address,
            pool=pool,
            boot="",
            state=HostState.REFUSED,
            reason=host.why,
            hostname=host.machine.hostname,
            machine=host.machine.id,
            address=host.address,
            cpus=host.machine.cpus,
            since=self._moment(host.since),
            last_contact=self._moment(host.at),
            lost_at=None,
            gone_at=None,
            gone_by=None,
            pool_state=PoolState.STOPPED,
            slots=0,
            busy=0,
            workers=(),
            tasks=(),
            load=None,
            memory_bytes=host.machine.memory_bytes or None,
            memory_used=None,
            code=None,
            versions=host.versions,
            has={},
        )

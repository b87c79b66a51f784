"""The hosts of a pool as they are at this moment, in the times of people's clocks."""

from collections.abc import Sequence

from msgspec import Struct

from pooldeck.pools.hosted import HostSnapshot
from pooldeck_server.domain.clock import Clock, span
from pooldeck_server.domain.pools.hosts import STANDING, HostHealth, HostTask


class Hosting(Struct, frozen=True):
    """What is known of a pool's hosts beside those that attached to it."""

    refused: tuple[HostSnapshot, ...] = ()  # before they came as far as the pool
    engine: str | None = None  # why the engine that is to place hosts does not, in a sentence


def no_hosting(_pool: str) -> Hosting:
    """Return that nothing is known."""
    return Hosting()


def hosts_of(
    pool: str, hosts: Sequence[HostSnapshot] | None, clock: Clock
) -> tuple[HostHealth, ...] | None:
    """Return the hosts of a pool: those on which something may run first, each kind by its name.

    None where the pool lives on the server's own machine.
    """
    if hosts is None:
        return None
    found = (_host(pool, each, clock) for each in hosts)
    return tuple(sorted(found, key=lambda host: (host.state not in STANDING, host.name)))


def _host(pool: str, host: HostSnapshot, clock: Clock) -> HostHealth:
    now, monotonic = clock.now(), clock.monotonic()

    def moment(at: float) -> int:
        return now - span(monotonic - at)

    def optional(at: float | None) -> int | None:
        return None if at is None else moment(at)

    return HostHealth(
        name=host.name,
        pool=pool,
        boot=host.boot,
        state=host.state,
        reason=host.reason,
        hostname=host.machine.hostname,
        machine=host.machine.id,
        cpus=host.machine.cpus,
        since=moment(host.since),
        last_contact=moment(host.last_contact),
        lease_until=optional(host.lease_until),
        lost_at=optional(host.lost_at),
        gone_at=optional(host.gone_at),
        end=host.end,
        pool_state=host.pool_state,
        slots=host.slots,
        busy=host.busy,
        workers=host.workers,
        tasks=tuple(
            HostTask(run.call.task, run.call.function, is_started=run.started_at is not None)
            for run in host.calls
        ),
        load=host.load,
        memory_bytes=host.memory_bytes or host.machine.memory_bytes or None,
        memory_used=host.memory_used,
        code=host.code_version or None,
        versions=host.versions,
        has=host.has,
    )

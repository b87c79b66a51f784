"""Hosts as a pool's picture has them, made up: for what is said of them, not for what they do."""

from typing import Any

from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.hosts import HostHealth, HostState, HostTask

NOW = 1_796_000_000 * SECOND
"""A moment in microseconds since the epoch: 00:53:20 UTC."""

TASK = HostTask("t1", "acme.render", is_started=True)


def host(name: str = "host-a", state: str = "attached", **changes: Any) -> HostHealth:
    """Return a host that was heard of at `NOW`."""
    made = HostHealth(
        name=name,
        pool="big",
        boot="ab12cd34ef",
        state=HostState(state),
        reason=None,
        hostname="node-1",
        machine="m1",
        address="10.0.0.7:40000",
        cpus=8,
        since=NOW - 3600 * SECOND,
        last_contact=NOW,
        lost_at=NOW + 20 * SECOND,
        gone_at=None,
        gone_by=None,
        pool_state="running",
        slots=2,
        busy=0,
        workers=(),
        tasks=(),
        load=1.25,
        memory_bytes=32 << 30,
        memory_used=8 << 30,
        code="f00dfeed",
        versions={"python": "3.11.7", "pooldeck": "1.0"},
        has={},
    )
    return replace(made, **changes)


def hosted(*hosts: HostHealth, **changes: Any) -> PoolHealth:
    """Return a pool on hosts."""
    pool = PoolHealth("big", PoolKind.PROCESS, 2, "running", None, 0, 0, None, 0, (), hosts=hosts)
    return replace(pool, **changes)

"""The picture of a boot of a host and of its workers, frozen at one moment."""

from collections.abc import Iterator

from pooldeck.hosts.link import HostLink
from pooldeck.hosts.model import HostSnapshot
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import WorkerState
from pooldeck.pools.port import WorkerSnapshot


def host_snapshot(link: HostLink) -> HostSnapshot:
    """Return a boot at this moment."""
    hello, pool, usage, departure = link.hello, link.pool, link.usage, link.departure
    return HostSnapshot(
        *(hello.name, hello.boot, hello.machine, hello.versions, hello.has, link.state),
        since=link.since,
        attached_at=link.attached_at,
        last_contact=link.contact.heard_at,
        lease_until=None if link.is_gone else link.contact.over_at,
        gone_at=departure.gone_at,
        gone_by=departure.gone_by,
        reason=departure.reason or pool.reason,
        pool_state=pool.state,
        slots=link.room.slots,
        busy=link.room.busy,
        workers=tuple(pool.workers),
        load=usage.load,
        memory_bytes=hello.machine.memory_bytes,
        memory_used=usage.memory_used,
        rss_bytes=usage.rss_bytes,
        cpu_percent=usage.cpu_percent,
        calls=tuple(_seen(link)),
        code_version=link.code_version,
        address=link.address,
    )


def worker_snapshots(link: HostLink) -> Iterator[WorkerSnapshot]:
    """Yield the workers of a boot at this moment."""
    calls: dict[str, list[RunningCall]] = {}
    for call in _seen(link):
        calls.setdefault(call.worker, []).append(call)
    abandoned: dict[str, list[RunningCall]] = {}
    for handed in link.calls.abandoned:
        abandoned.setdefault(handed.worker, []).append(handed.seen())
    for each in link.pool.workers.values():
        here = tuple(calls.get(each.id, ()))
        state = each.state
        if each.is_open:
            state = WorkerState.BUSY if here else WorkerState.IDLE
        yield WorkerSnapshot(
            *(each.id, each.pid, state, link.pool.at - each.started_ago),
            *(each.slots, link.pool.tasks_done(each)),
            *(here, tuple(abandoned.get(each.id, ()))),
            host=link.name,
            rss_bytes=link.usage.rss_bytes.get(each.id),
            cpu_percent=link.usage.cpu_percent.get(each.id),
        )


def _seen(link: HostLink) -> Iterator[RunningCall]:
    """Yield its calls as others see them, the one that was posted first before all others."""
    for before, handed in enumerate(link.calls):
        yield handed.seen(link.ending_behind(handed, before))

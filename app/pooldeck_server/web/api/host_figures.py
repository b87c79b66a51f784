"""The families of figures about hosts; they have no series where no pool has any."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily as _Gauge
from prometheus_client.core import Metric

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.hosts import HOST_STATES, HostHealth, HostState
from pooldeck_server.web.api.figures import family

_HOST: Final = ("pool", "host")
_POOL_STATE: Final = ("pool", "state")
_HEARD_OF: Final = frozenset({HostState.ATTACHED, HostState.DRAINING})
_Figure = Callable[[HostHealth], float | None]


def of_hosts(pools: Sequence[PoolHealth], now: int) -> Iterator[Metric]:
    """Yield the figures of the hosts on which something may run; `now` is in microseconds."""
    yield family(_Gauge, "hosts", "Hosts, by what is known of them.", _POOL_STATE, _states(pools))
    all_ = (host for pool in pools for host in pool.hosts or () if host.stands)
    by_contact = sorted(all_, key=lambda host: host.last_contact)
    standing = {_names(host): host for host in by_contact}.values()  # of one name the latest
    figures: tuple[tuple[str, str, _Figure], ...] = (
        ("up", "1 while the host is heard of, else 0.", lambda host: host.state in _HEARD_OF),
        (
            "contact_age_seconds",
            "How long ago it was heard of.",
            lambda host: max(0.0, seconds(now - host.last_contact)),
        ),
        (
            "lease_left_seconds",
            "Until it is certainly gone, with its tasks, if nothing more is heard of it.",
            lambda host: _left(host, now),
        ),
        ("slots", "Slots of the host.", lambda host: host.slots),
        ("busy", "Slots that run a task there, or may.", lambda host: host.busy),
        ("load", "Its load average over a minute.", lambda host: host.load),
        ("memory_bytes", "Memory of its machine.", lambda host: host.memory_bytes),
        ("memory_used_bytes", "Of it, what anybody uses.", lambda host: host.memory_used),
    )
    for name, words, of in figures:
        found = ((_names(host), of(host)) for host in standing)
        known = ((names, figure) for names, figure in found if figure is not None)
        yield family(_Gauge, f"host_{name}", words, _HOST, known)


def _states(pools: Sequence[PoolHealth]) -> Iterator[tuple[Sequence[str], float]]:
    for pool in pools:
        if pool.hosts is not None:
            counted = Counter(map(str, (host.state for host in pool.hosts)))
            yield from (((pool.name, state), counted[state]) for state in HOST_STATES)


def _names(host: HostHealth) -> Sequence[str]:
    return host.pool, host.name


def _left(host: HostHealth, now: int) -> float | None:
    return None if host.lost_at is None else max(0.0, seconds(host.lost_at - now))

"""Hosts that dialled and were turned away: which, why, and when; for the pages of their pools."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from pooldeck.hosts.wire import Hello, Machine

KEPT_SECONDS: Final = 600.0
"""How long a host is shown that has not come again."""

_MOST: Final = 200
_UNKNOWN: Final = Machine("", "", "", "", 0, 0)


class HostRefusal(Struct, frozen=True):
    """A host that was turned away. `pool` is None of one that did not get as far as naming it."""

    pool: str | None
    name: str  # "" where it did not say it
    address: str
    why: str  # in a sentence
    at: float  # of the monotonic clock, the latest time
    since: float  # and the first in a row
    machine: Machine = _UNKNOWN
    versions: dict[str, str] = {}


@dataclass(eq=False)
class Refusals:
    """Those of the last minutes, each host once, with the latest reason."""

    pools: Collection[str]  # those on hosts
    on_change: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _by_host: dict[tuple[str | None, str, str], HostRefusal] = field(
        init=False, default_factory=dict
    )

    def add(self, why: str, address: str, hello: Hello | None = None) -> bool:
        """Note that a host was turned away; return whether that is news, or just once more."""
        now, pool, name = self.clock(), None, ""
        if hello is not None:
            pool, name = hello.pool, hello.name
        key = (pool, name, address.rpartition(":")[0])
        before = self._by_host.pop(key, None)
        is_news = before is None or before.why != why
        self._by_host[key] = HostRefusal(
            pool=pool,
            name=name,
            address=address,
            why=why,
            at=now,
            since=now if before is None or is_news else before.since,
            machine=_UNKNOWN if hello is None else hello.machine,
            versions={} if hello is None else hello.versions,
        )
        while len(self._by_host) > _MOST:
            del self._by_host[next(iter(self._by_host))]
        self.on_change()
        return is_news

    def admitted(self, pool: str, name: str) -> None:
        """Forget what a host was told before it was taken."""
        for key in [key for key in self._by_host if key[:2] == (pool, name)]:
            del self._by_host[key]

    def of(self, pool: str) -> Sequence[HostRefusal]:
        """Return the hosts that a pool did not get, and those that may have meant it.

        These did not say which pool they want, or named one that is not on hosts.
        """
        self._forget_old()
        return [
            each
            for each in self._by_host.values()
            if each.pool == pool or each.pool not in self.pools
        ]

    def _forget_old(self) -> None:
        oldest = self.clock() - KEPT_SECONDS
        for key in [key for key, each in self._by_host.items() if each.at < oldest]:
            del self._by_host[key]

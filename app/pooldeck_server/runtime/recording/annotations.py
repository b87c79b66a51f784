"""Notes what is done to pools and what befalls them, for the charts and for whoever asks later.

It owns nothing: a note goes to the recorder, which keeps it until it is written, in the order in
which things happened. Whoever notes something neither waits for that nor can fail by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.pools.annotations import Kind, StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.recording.recorder import Recorder


@dataclass(kw_only=True, eq=False)
class Annotations:
    """Notes annotations."""

    recorder: Recorder
    clock: Clock
    _broken: set[str] = field(init=False, default_factory=set)
    _hosts: dict[str, bool] = field(init=False, default_factory=dict)  # by boot: is it gone?

    def annotate(
        self,
        kind: Kind,
        pool: str | None = None,
        subject: str | None = None,
        reason: str | None = None,
        **data: Any,
    ) -> None:
        """Note what happened just now, to a pool or to all; `reason` is what a person gave."""
        now = self.clock.now()
        self.recorder.record_annotation(
            StoredAnnotation(now, kind, pool, subject, data, reason or None)
        )

    def annotate_broken(self, pools: Iterable[PoolHealth]) -> None:
        """Note those of the pools that have become broken since the last look at them."""
        broken = {pool.name: pool.reason for pool in pools if pool.state == "broken"}
        for name in broken.keys() - self._broken:
            self.annotate("broken", name, said=(broken[name] or "").partition("\n")[0])
        self._broken = set(broken)

    def annotate_hosts(self, pools: Iterable[PoolHealth]) -> None:
        """Note which hosts came and which are gone since the last look, each boot of them once."""
        hosts = [host for pool in pools for host in pool.hosts or () if host.boot]
        for host in hosts:
            if host.boot not in self._hosts:
                self.annotate("host_came", host.pool, host.name)
            if host.gone_by is not None and self._hosts.get(host.boot) is not True:
                self.annotate("host_gone", host.pool, host.name, gone_by=host.gone_by)
        self._hosts = {host.boot: host.gone_by is not None for host in hosts}

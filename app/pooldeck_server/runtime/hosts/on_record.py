"""Which hosts may have been handed calls, on record before the first call goes there.

The next run of the server asks of them what became of it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from pooldeck.hosts.model import HostRefused, HostTerms
from pooldeck.hosts.wire import Hello
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.pools.attachments import Attachment
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records


@dataclass(kw_only=True, eq=False)
class HostsOnRecord:
    """Those of this run, but for those that are certainly gone."""

    terms: HostTerms
    recorder: Recorder
    clock: Clock
    _boots: set[str] = field(init=False, default_factory=set)
    _works: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)

    def __contains__(self, boot: str) -> bool:
        return boot in self._boots

    async def keep(self, hello: Hello) -> None:
        """Put on record that a boot may be handed calls from now on.

        Raises:
            HostRefused: If that is not possible at the moment.
        """
        attachment = Attachment(
            boot=hello.boot,
            pool=hello.pool,
            name=hello.name,
            term=self.terms.term,
            lease_seconds=self.terms.lease,
            margin_seconds=self.terms.margin,
            attached_at=self.clock.now(),
        )
        try:
            await self.recorder.perform(lambda tx: records.attach_host(tx, attachment))
        except PooldeckError as error:
            raise HostRefused(f"it cannot be put on record at the moment: {error}") from None

    def attached(self, boot: str) -> None:
        """Note that a boot that is on record has become part of its pool."""
        self._boots.add(boot)

    def forget_others(self, here: Collection[str]) -> None:
        """Take those off the record that are certainly gone: all attached ones but some."""
        gone = self._boots.difference(here)
        self._boots -= gone
        if gone:
            self.forget(gone)

    def forget(self, boots: Collection[str]) -> None:
        """Take boots off the record."""
        self._works.start(
            self.recorder.try_perform(
                lambda tx: records.forget_hosts(tx, boots), "that hosts are gone"
            )
        )

    async def stop(self) -> None:
        await self._works.finish()

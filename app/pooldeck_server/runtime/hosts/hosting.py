"""Pools on hosts, of this run of the server: their terms, the door, and what earlier runs left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from pooldeck.hosts.model import HostTerms
from pooldeck.hosts.remote_pool import RemotePool

from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolSpec
from pooldeck_server.domain.clock import Clock
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.hosts.earlier_term import EarlierTerm
from pooldeck_server.runtime.hosts.listener import HostListener
from pooldeck_server.runtime.hosts.refusals import Refusals
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.settings import HostsSettings, Settings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.records.interruption import left_in_hand


@dataclass(kw_only=True, eq=False)
class Hosting:
    """What the server has of hosts; without `[hosts]` that is what earlier runs left, if any."""

    settings: HostsSettings | None
    terms: HostTerms
    earlier: EarlierTerm
    refusals: Refusals
    tokens: Tokens
    recorder: Recorder
    clock: Clock
    pools: dict[str, RemotePool] = field(init=False, default_factory=dict)
    listener: HostListener | None = field(init=False, default=None)  # while it listens

    @classmethod
    async def after(
        cls,
        *,
        settings: Settings,
        database: str,
        boot: str,
        is_copy: bool,
        clock: Clock,
        recorder: Recorder,
        reader: Reader,
        tokens: Tokens,
        queues: Mapping[str, Dispatcher],
        changes: LiveChanges,
    ) -> Self:
        """Return what a run has of hosts that begins after others.

        Args:
            settings: Those of the server.
            database: The identity of the database: hosts know a server by it.
            boot: The mark of this run.
            is_copy: Whether the database is a copy that waits for a word: its hosts are others'.
            clock: What time it is.
            recorder: Who records what becomes of tasks.
            reader: Who reads what is on record.
            tokens: What hosts show.
            queues: The dispatcher of each pool, once they are there.
            changes: Told of what is to be seen.
        """
        attachments = await reader.run(queries.attachments)
        if is_copy and attachments:
            boots = [each.boot for each in attachments]
            await recorder.perform(lambda tx: records.forget_hosts(tx, boots))
            attachments = []
        pools = {each.pool for each in attachments}
        left = await reader.run(left_in_hand, pools) if pools else []
        earlier = EarlierTerm(
            boot=boot,
            attachments=attachments,
            left=left,
            recorder=recorder,
            clock=clock,
            queues=queues,
        )
        return cls(
            settings=settings.hosts,
            terms=await _terms(settings.hosts, database, boot, reader),
            earlier=earlier,
            refusals=Refusals(on_change=changes.mark_dirty),
            tokens=tokens,
            recorder=recorder,
            clock=clock,
        )

    def pool(
        self, spec: PoolSpec, listener: PoolListener, on_change: Callable[[], None]
    ) -> RemotePool:
        """Make a pool on hosts."""
        made = RemotePool(spec, self.terms, listener, on_hosts=on_change)
        self.pools[spec.name] = made
        return made

    async def start(self) -> None:
        """Let hosts in, if they are to dial in anywhere.

        Raises:
            StartupError: If that is not possible.
        """
        if self.settings is None:
            return
        listener = HostListener(
            settings=self.settings,
            terms=self.terms,
            pools=self.pools,
            tokens=self.tokens,
            recorder=self.recorder,
            clock=self.clock,
            earlier=self.earlier,
            refusals=self.refusals,
        )
        await listener.start()
        self.listener = listener

    async def stop(self) -> None:
        """Let no more hosts in."""
        if self.listener is not None:
            await self.listener.stop()
            self.listener = None


async def _terms(
    settings: HostsSettings | None, database: str, boot: str, reader: Reader
) -> HostTerms:
    term = await reader.run(queries.term_of, boot)
    if settings is None:
        return HostTerms(database, term)
    return HostTerms(
        database,
        term,
        lease=settings.lease_seconds,
        renew=settings.renew_seconds,
        margin=settings.margin_seconds,
    )

"""Pools on hosts, of this run of the server: their terms, the door, and what earlier runs left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from msgspec.structs import replace

from pooldeck.engines.port import EngineSpec, HostTask
from pooldeck.hosts.machine import versions
from pooldeck.hosts.model import HostTerms
from pooldeck.hosts.remote_pool import RemotePool
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolSpec
from pooldeck_server.domain.access import HOSTS
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.hosts.companion import EngineCompanion
from pooldeck_server.runtime.hosts.earlier_term import EarlierTerm
from pooldeck_server.runtime.hosts.listener import HostListener
from pooldeck_server.runtime.hosts.on_record import HostsOnRecord
from pooldeck_server.runtime.hosts.refusals import Refusals
from pooldeck_server.runtime.live.hosts import HostNews
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.pool_controls import KeptControls
from pooldeck_server.settings import HostedSettings, HostsSettings, Settings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.records.interruption import left_in_hand

_SILENCE: Final = 30.0  # seconds without an answer until an agent kills its host process


@dataclass(kw_only=True, eq=False)
class HostedPools:
    """What the server has of hosts; without `[hosts]` that is what earlier runs left, if any."""

    settings: HostsSettings | None
    hosted: Mapping[str, HostedSettings]  # of each pool on hosts
    wanted: dict[str, int]  # how many hosts the engine of a pool is asked for
    on_change: Callable[[], None]  # told of what is to be seen
    terms: HostTerms
    earlier: EarlierTerm
    refusals: Refusals
    tokens: Tokens
    recorder: Recorder
    clock: Clock
    pools: dict[str, RemotePool] = field(init=False, default_factory=dict)
    companions: dict[str, EngineCompanion] = field(init=False, default_factory=dict)  # by pool
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
        controls: KeptControls,
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
            controls: What was set by hand.
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
        hosted = {name: each.hosts for name, each in settings.pools.items() if each.hosts}
        wanted = {name: controls.hosts(name) for name in settings.pools}
        return cls(
            settings=settings.hosts,
            hosted=hosted,
            wanted={name: hosts for name, hosts in wanted.items() if hosts is not None},
            on_change=changes.mark_dirty,
            terms=await _terms(settings.hosts, database, boot, reader),
            earlier=earlier,
            refusals=Refusals(hosted, on_change=changes.mark_dirty),
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

    def seen(self, pool: str) -> HostNews:
        """Return what is known of a pool's hosts beside those that attached to it."""
        companion = self.companions.get(pool)
        sentence = None if companion is None else companion.sentence
        return HostNews(self.refusals.of(pool), sentence, self.wanted.get(pool))

    def want(self, pool: str, hosts: int) -> None:
        """Have another number of hosts for a pool; those too many finish what they run first."""
        self.wanted[pool] = hosts
        if pool in self.companions:
            self.companions[pool].want(hosts)

    async def start(self) -> None:
        """Let hosts in, if they are to dial in anywhere; have engines start some.

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
            on_record=HostsOnRecord(terms=self.terms, recorder=self.recorder, clock=self.clock),
            earlier=self.earlier,
            refusals=self.refusals,
        )
        await listener.start()
        self.listener = listener
        for name, pool in self.pools.items():
            hosted = self.hosted[name]
            if hosted.engine != "manual":
                self._start_companion(hosted, pool, engine_spec(hosted, self._task(name, listener)))

    def _start_companion(self, hosted: HostedSettings, pool: RemotePool, spec: EngineSpec) -> None:
        companion = EngineCompanion(
            hosted.engine, spec, pool, self.wanted[pool.spec.name], on_change=self.on_change
        )
        self.companions[pool.spec.name] = companion
        companion.start()

    def _task(self, pool: str, listener: HostListener) -> HostTask:
        """Return what hosts of a pool are told that an engine starts."""
        settings = listener.settings
        authority = settings.authority or settings.certificate
        return HostTask(
            deck=self.terms.deck,
            term=self.terms.term,
            pool=pool,
            server=settings.address or listener.place,
            token=self.tokens.make_for_run(replace(HOSTS, pools=(pool,))),
            version=versions()["pooldeck"],
            authority=None if authority is None else _text(authority),
            silence=max(_SILENCE, 2 * self.terms.lease),
        )

    async def stop(self) -> None:
        """Let no more hosts in, and have engines start none."""
        for companion in self.companions.values():
            await companion.stop()
        if self.listener is not None:
            await self.listener.stop()
            self.listener = None


def engine_spec(hosted: HostedSettings, task: HostTask) -> EngineSpec:
    """Return which engine, and the way to it."""
    return EngineSpec(
        hosted.scheduler or "",
        task,
        authority=_path(hosted.authority),
        certificate=_path(hosted.certificate),
        key=_path(hosted.key),
    )


def _text(path: Path) -> str:
    """Return what is in a file.

    Raises:
        StartupError: If it cannot be read.
    """
    try:
        return path.read_text()
    except (OSError, UnicodeError) as error:
        raise StartupError(f"[hosts] authority {path} cannot be read: {error}") from None


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


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

"""Loads what outlives a run: the parts that begin with what earlier servers left in the store."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pooldeck_server.domain.clock import MINUTE, SECOND, Clock
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.logins import LINK, ORIGIN
from pooldeck_server.domain.notices import SeenNotice
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.sessions import Session
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tokens import Token
from pooldeck_server.runtime.access.sessions import Sessions
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.live.recent import LATELY, RecentMinutes
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import WINDOW_SECONDS, Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.incidents import LATELY_SECONDS, Incidents
from pooldeck_server.runtime.tasks.keys import TaskKeys
from pooldeck_server.runtime.tasks.pool_controls import KeptControls
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """The parts that go on where those of an earlier server stopped."""

    durations: RecentDurations
    profiles: Profiles
    holds: Holds
    seen_notices: Sequence[SeenNotice]
    errors: Errors
    controls: KeptControls
    sessions: Sessions
    tokens: Tokens
    restored: Restored
    counts: Counts
    incidents: Incidents
    keys: TaskKeys
    functions: Functions
    recent: RecentMinutes


async def load(
    *,
    settings: Settings,
    clock: Clock,
    recorder: Recorder,
    reader: Reader,
    annotations: Annotations,
    changes: LiveChanges,
    queues: Mapping[str, Dispatcher],
) -> Kept:
    """Load them from the store; `queues` is filled later."""
    holds = Holds(
        recorder=recorder,
        clock=clock,
        annotations=annotations,
        changes=changes,
        held=await reader.run(queries.holds),
        deaths=settings.hold_after,
        seconds=settings.hold_seconds,
    )
    keys = await _keys(reader, clock)
    present = clock.now() // SECOND // STRETCH * STRETCH
    owner = settings.token.get_secret_value() if settings.token else None
    named = await reader.run(queries.tokens)
    begun = [
        session
        for session in await reader.run(queries.sessions)
        if _counts_still(session, named, settings)
    ]
    sessions = Sessions(recorder, clock, owner or "", begun)
    return Kept(
        durations=RecentDurations(lambda name: reader.run(queries.durations, name)),
        profiles=Profiles(recorder=recorder, clock=clock, kept=await reader.run(queries.profiles)),
        holds=holds,
        seen_notices=await reader.run(queries.seen_notices),
        errors=Errors(
            recorder=recorder,
            reader=reader,
            clock=clock,
            changes=changes,
            fixed=tuple(await reader.run(queries.fixed_error_groups)),
        ),
        controls=KeptControls(
            recorder=recorder,
            configured={name: pool.slots for name, pool in settings.pools.items()},
            configured_hosts={
                name: hosts
                for name, pool in settings.pools.items()
                if pool.hosts is not None and (hosts := pool.hosts.wanted) is not None
            },
            kept=await reader.run(queries.controls),
        ),
        sessions=sessions,
        tokens=Tokens(
            recorder=recorder,
            sessions=sessions,
            clock=clock,
            owner=owner,
            is_asked_for=settings.admission != "open",
            kept=named,
        ),
        restored=Restored(
            identity=await reader.run(queries.identity),
            recorder=recorder,
            reader=reader,
            clock=clock,
            queues=queues,
            annotations=annotations,
            changes=changes,
        ),
        counts=await _counts(reader, clock),
        incidents=Incidents(
            recorder=recorder,
            clock=clock,
            holds=holds,
            annotations=annotations,
            counts=Counter(await reader.run(queries.incident_counts)),
            times=deque(
                await reader.run(queries.incident_times, clock.now() - LATELY_SECONDS * SECOND)
            ),
        ),
        keys=keys,
        functions=await _functions(
            settings=settings,
            clock=clock,
            recorder=recorder,
            reader=reader,
            keys=keys,
            changes=changes,
        ),
        recent=RecentMinutes(await reader.run(queries.stretches, present - LATELY, present)),
    )


def _counts_still(session: Session, named: Sequence[Token], settings: Settings) -> bool:
    """Tell whether there is still what a session was begun with."""
    token = session.token
    if token is None or token.startswith(ORIGIN):
        return True
    if token == LINK:
        return settings.admission == "local"
    return any(each.name == token for each in named)


async def _keys(reader: Reader, clock: Clock) -> TaskKeys:
    last = await reader.run(queries.last_seq_and_id)
    return TaskKeys(
        ids=TaskIds(clock, after=last.id if last else None), last_seq=last.seq if last else 0
    )


async def _functions(
    *,
    settings: Settings,
    clock: Clock,
    recorder: Recorder,
    reader: Reader,
    keys: TaskKeys,
    changes: LiveChanges,
) -> Functions:
    """Begin with the functions that were known when the last server ended."""
    specs = await reader.run(queries.catalogue)
    placements = await reader.run(queries.placements)
    return Functions(
        catalogue=Catalogue(settings.pool_kinds, specs or None, placements, is_current=False),
        specs=specs,
        keys=keys,
        recorder=recorder,
        clock=clock,
        on_change=changes.mark_dirty,
    )


async def _counts(reader: Reader, clock: Clock) -> Counts:
    """Begin to count where the store's counters stand."""
    minute = clock.now() // MINUTE
    kept = await reader.run(queries.counts)
    ended = await reader.run(queries.activity, minute - WINDOW_SECONDS // 60)
    now = clock.monotonic()
    counts = Counts(clock)
    counts.load(
        ((count.pool, count.state, count.n) for count in kept),
        ((now - 60 * (minute - entry.minute), entry.state, entry.n) for entry in ended),
    )
    return counts

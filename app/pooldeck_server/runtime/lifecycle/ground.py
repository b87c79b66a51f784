"""What the parts of the server stand on: the record, and what is known from it at the start."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.lifecycle.log_opening import open_log_file
from pooldeck_server.runtime.live.history import PoolHistory
from pooldeck_server.runtime.live.recent import LATELY
from pooldeck_server.runtime.pipelines.waits import Waits
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import WINDOW_SECONDS, Counts
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.incidents import LATELY_SECONDS, Incidents
from pooldeck_server.runtime.tasks.pool_controls import Controls
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings.model import Settings
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader

_DATABASE: Final = "pooldeck.sqlite3"
_MINUTE: Final = 60_000_000  # microseconds


class Ground(Struct, frozen=True):
    """The store with what writes to it and reads from it, and what outlives a run."""

    settings: Settings
    clock: Clock
    database: Database
    reader: Reader
    recorder: Recorder
    tally: Counts
    usual: RecentDurations
    profiles: Profiles
    holds: Holds
    incidents: Incidents
    errors: Errors
    controls: Controls
    directory: Functions
    history: PoolHistory
    annotations: Annotations
    log_file: LogFile | None
    waits: Waits
    shared: Shared


async def open_ground(
    settings: Settings,
    clock: Clock,
    announce: Callable[[Sequence[TaskChanged]], None],
    stack: AsyncExitStack,
) -> Ground:
    """Open the store, and load what outlives a run; the recorder is not started.

    Args:
        settings: Where the store is, and how it is used.
        clock: The server's time.
        announce: Given the moves of each commit.
        stack: Closes the store.

    Raises:
        StartupError: If the store cannot be used.
    """
    database, reader = await _open_store(settings, stack)
    recorder = Recorder(database, settings.limits.pending_writes, announce)
    annotations = Annotations(recorder, clock)
    holds = Holds(
        recorder,
        clock,
        annotations,
        await reader.run(queries.holds),
        deaths=settings.hold_after,
        seconds=settings.hold_seconds,
    )
    configured = {name: pool.slots for name, pool in settings.pools.items()}
    return Ground(
        settings=settings,
        clock=clock,
        database=database,
        reader=reader,
        recorder=recorder,
        tally=await _tally(reader, clock),
        usual=_usual(reader, stack),
        profiles=Profiles(recorder, clock, await reader.run(queries.profiles)),
        holds=holds,
        incidents=await _incidents(recorder, clock, holds, annotations, reader),
        errors=Errors(recorder, reader, clock, await reader.run(queries.fixed_error_groups)),
        controls=Controls(recorder, annotations, configured, await reader.run(queries.controls)),
        directory=await _directory(settings, reader, recorder, clock),
        history=await _history(recorder, clock, reader),
        annotations=annotations,
        log_file=await stack.enter_async_context(open_log_file(settings.log)),
        waits=Waits(),
        shared=Shared(settings.shared, annotations, clock),
    )


async def _incidents(
    recorder: Recorder, clock: Clock, holds: Holds, annotations: Annotations, reader: Reader
) -> Incidents:
    since = clock.now() - LATELY_SECONDS * 1_000_000
    counts = await reader.run(queries.incident_counts)
    lately = await reader.run(queries.incident_times, since)
    return Incidents(recorder, clock, holds, annotations, counts=counts, lately=lately)


async def _history(recorder: Recorder, clock: Clock, reader: Reader) -> PoolHistory:
    present = clock.now() // 1_000_000 // STRETCH * STRETCH
    kept = await reader.run(queries.stretches, present - LATELY, present)
    return PoolHistory(recorder, clock, kept)


async def _open_store(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Reader]:
    path = settings.data / _DATABASE
    database = await asyncio.to_thread(Database.open, path, settings.durability)
    stack.callback(database.close)
    reader = Reader(database)
    stack.callback(reader.close)
    return database, reader


def _usual(reader: Reader, stack: AsyncExitStack) -> RecentDurations:
    async def look_up(function: str) -> Durations:
        return await reader.run(queries.durations, function)

    usual = RecentDurations(look_up)
    stack.push_async_callback(usual.stop)
    return usual


async def _tally(reader: Reader, clock: Clock) -> Counts:
    """Begin to count where the store's counters stand."""
    minute = clock.now() // _MINUTE
    counts = await reader.run(queries.counts)
    ended = await reader.run(queries.activity, minute - WINDOW_SECONDS // 60)
    now = clock.monotonic()
    tally = Counts()
    tally.load(
        ((count.pool, count.state, count.n) for count in counts),
        ((now - 60 * (minute - entry.minute), entry.state, entry.n) for entry in ended),
    )
    return tally


async def _directory(
    settings: Settings, reader: Reader, recorder: Recorder, clock: Clock
) -> Functions:
    """Begin with the functions that were known when the last server ended."""
    specs = await reader.run(queries.catalogue)
    placements = await reader.run(queries.placements)
    catalogue = Catalogue(settings.pool_kinds, specs or None, placements)
    return Functions(catalogue, specs, recorder, clock)

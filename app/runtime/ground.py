"""What the parts of the server stand on: the record, and what is known from it at the start."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from msgspec import Struct

from app.domain.catalogue import Catalogue
from app.domain.clock import Clock
from app.domain.events import TaskChanged
from app.runtime.directory import Directory
from app.runtime.holds import Holds
from app.runtime.incidents import Incidents
from app.runtime.pool_controls import Controls
from app.runtime.recorder import Recorder
from app.runtime.tally import WINDOW_SECONDS, Tally
from app.runtime.usual import Usual
from app.settings import Settings
from app.store import queries
from app.store.database import Database, Reader

_DATABASE: Final = "pooldeck.sqlite3"
_MINUTE: Final = 60_000_000  # microseconds


class Ground(Struct, frozen=True):
    """The store with what writes to it and reads from it, and what outlives a run."""

    settings: Settings
    clock: Clock
    database: Database
    reader: Reader
    recorder: Recorder
    tally: Tally
    usual: Usual
    holds: Holds
    incidents: Incidents
    controls: Controls
    directory: Directory


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
    holds = Holds(
        recorder,
        clock,
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
        usual=Usual(),
        holds=holds,
        incidents=Incidents(recorder, clock, holds, await reader.run(queries.incident_counts)),
        controls=Controls(recorder, configured, await reader.run(queries.controls)),
        directory=await _directory(settings, reader, recorder, clock),
    )


async def _open_store(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Reader]:
    location = settings.database_url or settings.data / _DATABASE
    database = await asyncio.to_thread(Database.open, location, settings.durability)
    stack.callback(database.close)
    reader = Reader(database)
    stack.callback(reader.close)
    return database, reader


async def _tally(reader: Reader, clock: Clock) -> Tally:
    """Begin to count where the store's counters stand."""
    minute = clock.now() // _MINUTE
    counts = await reader.run(queries.counts)
    ended = await reader.run(queries.activity, minute - WINDOW_SECONDS // 60)
    now = clock.monotonic()
    tally = Tally()
    tally.load(
        ((count.pool, count.state, count.n) for count in counts),
        ((now - 60 * (minute - entry.minute), entry.state, entry.n) for entry in ended),
    )
    return tally


async def _directory(
    settings: Settings, reader: Reader, recorder: Recorder, clock: Clock
) -> Directory:
    """Begin with the functions that were known when the last server ended."""
    specs = await reader.run(queries.catalogue)
    catalogue = Catalogue(tuple(settings.pools), settings.auto_pool, specs or None)
    return Directory(catalogue, specs, recorder, clock)

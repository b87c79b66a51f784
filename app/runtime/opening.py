"""Puts the server together: starts its parts in order, and stops them in reverse.

The order is the way of a task, backwards: whatever takes must be there before whatever gives.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from app.domain.catalogue import Catalogue
from app.domain.clock import Clock, SystemClock
from app.domain.ids import TaskIds
from app.runtime.deck import Deck
from app.runtime.directory import Directory
from app.runtime.dispatcher import Dispatcher
from app.runtime.feed import Feed
from app.runtime.intake import Intake
from app.runtime.recorder import Recorder
from app.runtime.recovery import recover
from app.runtime.sampler import Sampler
from app.runtime.scheduler import Scheduler
from app.runtime.service import Parts, Service
from app.runtime.tally import WINDOW_SECONDS, Tally
from app.runtime.usual import Usual
from app.settings import Settings
from app.store import queries, records
from app.store.database import Database, Reader
from pooldeck.crew import PoolSpec
from pooldeck.pool import Pool
from pooldeck.protocol import Limits

_log = logging.getLogger(__name__)
_DATABASE: Final = "pooldeck.sqlite3"
_WORKER_FILES: Final = "workers"
_MINUTE: Final = 60_000_000  # microseconds


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Service]:
    """Start a server, give its service to the body, stop it at the end.

    Args:
        settings: What to run.
        clock: Where it takes the time from; the system's by default.

    Raises:
        StartupError: If it cannot start; what was opened is closed again.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        database, reader = await _open_store(settings, stack)
        tally, usual = Tally(), Usual()
        queues: dict[str, Dispatcher] = {}
        deck = Deck(queues, tally, usual, clock)
        feed = Feed(clock, tally, deck.health, settings.limits.streams)
        recorder = Recorder(database, settings.limits.pending_writes, feed.announce)
        await _load(tally, reader, clock)
        feed.start()
        stack.push_async_callback(feed.stop)
        recorder.start()
        stack.push_async_callback(recorder.stop)
        if lost := await recover(recorder, clock):
            _log.warning("the last server ended with %d tasks in hand: they are lost", lost)

        _clear_worker_files(settings)
        directory = await _directory(settings, reader, recorder, clock)
        boot = secrets.token_hex(8)
        for name in settings.pools:
            queues[name] = queue = Dispatcher(
                recorder=recorder,
                reader=reader,
                clock=clock,
                usual=usual,
                memory=settings.memory_queue,
                on_functions=directory.report,
                on_change=feed.touch,
            )
            queue.attach(Pool(_spec(name, settings), boot, partial(_number, recorder, name), queue))
        scheduler = Scheduler(recorder, reader, clock, partial(_look_again, queues))
        intake = await _intake(
            settings, reader, recorder, clock, directory, queues, tally, scheduler
        )
        sampler = Sampler(deck.pids, feed.touch)
        deck.measure_with(sampler)
        service = Service(
            Parts(
                settings, clock, database, reader, recorder, directory, intake, queues, deck, feed
            )
        )

        stack.push_async_callback(_stop_pools, queues, settings.grace_seconds)
        await asyncio.gather(*(queue.start() for queue in queues.values()))
        for part in (scheduler, sampler):
            part.start()
            stack.push_async_callback(part.stop)
        stack.callback(service.begin_drain)
        yield service


async def _open_store(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Reader]:
    location = settings.database_url or settings.data / _DATABASE
    database = await asyncio.to_thread(Database.open, location, settings.durability)
    stack.callback(database.close)
    reader = Reader(database)
    stack.callback(reader.close)
    return database, reader


async def _load(tally: Tally, reader: Reader, clock: Clock) -> None:
    """Begin to count where the store's counters stand."""
    minute = clock.now() // _MINUTE
    counts = await reader.run(queries.counts)
    ended = await reader.run(queries.activity, minute - WINDOW_SECONDS // 60)
    now = clock.monotonic()
    tally.load(
        ((count.pool, count.state, count.n) for count in counts),
        ((now - 60 * (minute - entry.minute), entry.state, entry.n) for entry in ended),
    )


async def _directory(
    settings: Settings, reader: Reader, recorder: Recorder, clock: Clock
) -> Directory:
    """Begin with the functions that were known when the last server ended."""
    specs = await reader.run(queries.catalogue)
    catalogue = Catalogue(tuple(settings.pools), settings.auto_pool, specs or None)
    return Directory(catalogue, specs, recorder, clock)


async def _intake(  # noqa: PLR0917 - it only passes on what `running` has made
    settings: Settings,
    reader: Reader,
    recorder: Recorder,
    clock: Clock,
    directory: Directory,
    queues: dict[str, Dispatcher],
    tally: Tally,
    scheduler: Scheduler,
) -> Intake:
    last = await reader.run(queries.last_seq_and_id)
    return Intake(
        recorder=recorder,
        reader=reader,
        clock=clock,
        ids=TaskIds(clock, after=last.id if last else None),
        last_seq=last.seq if last else 0,
        catalogue=lambda: directory.catalogue,
        queues=queues,
        pools=settings.pools,
        tally=tally,
        on_scheduled=scheduler.look_again,
    )


def _spec(name: str, settings: Settings) -> PoolSpec:
    pool, limits = settings.pools[name], settings.limits
    return PoolSpec(
        name=name,
        kind=pool.kind,
        size=pool.slots,
        modules=settings.functions,
        initializer=pool.initializer,
        limits=Limits(
            result_bytes=limits.result_bytes,
            message_bytes=limits.error_message_bytes,
            traceback_bytes=limits.traceback_bytes,
            log_lines=limits.log_lines,
            log_bytes=limits.log_bytes,
            depth=limits.depth,
        ),
        boot_seconds=settings.boot_seconds,
        folder=settings.data.resolve() / _WORKER_FILES,
    )


def _clear_worker_files(settings: Settings) -> None:
    """Make the folder of the workers' files, and remove what an earlier server left there."""
    folder = settings.data.resolve() / _WORKER_FILES
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()


async def _number(recorder: Recorder, pool: str) -> int:
    return await recorder.perform(lambda tx: records.next_worker_number(tx, pool))


def _look_again(queues: dict[str, Dispatcher], pools: set[str]) -> None:
    for name in pools & queues.keys():
        queues[name].look_again()


async def _stop_pools(queues: dict[str, Dispatcher], grace: float) -> None:
    await asyncio.gather(*(queue.stop(grace) for queue in queues.values()))

"""The runs of the server: what those before left running, and what is kept of this one.

A run begins in the store before its first process is started, so that the next run knows the mark
to look for, however this one ends. It ends in the store after the last of its processes is gone. In
between, the lock file says every second that it goes on, the files of the store are looked at as
often, and a keeper stands by.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import psutil
from msgspec import Struct

from pooldeck import marks
from pooldeck.keeper import Keeper
from pooldeck_server.domain.clock import SECOND, Clock, seconds
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.pools import stops
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.runtime.background import Background
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.socket_folder import remove_abandoned
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database, Reader
from pooldeck_server.store.lock import Lock

_log = logging.getLogger(__name__)
_BEAT_SECONDS: Final = 1.0
_REMEMBERED: Final = 50  # runs whose processes are looked for, if they did not end in order


class Beginning(Struct, frozen=True):
    """This run, and what it found of the one before it."""

    run: ServerRun
    before: ServerRun | None
    reaped: int  # processes that earlier runs had left
    down_seconds: float | None  # since the last sign of life of the run before
    is_beside: bool = False  # the run before goes on: the data folder is a copy of its
    earlier: frozenset[str] = frozenset()  # the runs that are remembered

    @property
    def was_clean(self) -> bool:
        return self.before is None or self.before.ended_at is not None


@asynccontextmanager
async def lifetime(
    database: Database, reader: Reader, recorder: Recorder, clock: Clock, ending: Ending
) -> AsyncIterator[Beginning]:
    """Be a run of the server: the body may start processes, and has ended them when it is left.

    `ending` says then what that cost.

    Raises:
        StorageUnavailable: If the run cannot be noted.
        StartupError: If its keeper cannot be started.
    """
    earlier = await reader.run(queries.runs, _REMEMBERED)
    reaped = await asyncio.to_thread(_reap, earlier)
    run = ServerRun(secrets.token_hex(8), os.getpid(), clock.now())
    before = earlier[0] if earlier else None
    async with AsyncExitStack() as stack:
        await recorder.perform(lambda tx: records.begin_run(tx, run))
        stack.push_async_callback(_end, recorder, run, clock, ending)
        keeper = await _kept(run.boot)
        stack.push_async_callback(keeper.stop)
        beat = Background("the sign of life", lambda: _beat(database, clock))
        beat.start()
        stack.push_async_callback(beat.stop)
        down_seconds = _down_seconds(before, database.lock, run.started_at)
        is_beside = before is not None and before.ended_at is None and _goes_on(before)
        boots = frozenset(each.boot for each in earlier)
        yield Beginning(run, before, reaped, down_seconds, is_beside, boots)


def _reap(runs: Iterable[ServerRun]) -> int:
    """End what runs that were cut off have left; return how many processes that were."""
    boots = [run.boot for run in runs if run.ended_at is None and not _goes_on(run)]
    remove_abandoned()
    try:
        return marks.sweep(boots) if boots else 0
    except OSError as error:
        _log.warning("what the last server may have left running could not be ended: %s", error)
        return 0


def _goes_on(run: ServerRun) -> bool:
    """Tell whether a run's process is still there.

    The lock says that none is, unless the data folder is a copy of one that a server uses: its
    processes are not ours to end.
    """
    if run.pid == os.getpid():
        return False
    try:
        return psutil.Process(run.pid).create_time() * SECOND <= run.started_at
    except psutil.Error:
        return False


async def _kept(boot: str) -> Keeper:
    keeper = Keeper(boot)
    try:
        await keeper.start()
    except OSError as error:
        raise StartupError(f"the server cannot start without its keeper: {error}") from error
    return keeper


async def _beat(database: Database, clock: Clock) -> None:
    """Say that the server is alive, and look whether it still has its files."""
    while True:
        await asyncio.to_thread(database.standing.look)
        with suppress(OSError):  # a full disk; the sign of life is then an older one
            await asyncio.to_thread(database.lock.touch, clock.now())
        await asyncio.sleep(_BEAT_SECONDS)


async def _end(recorder: Recorder, run: ServerRun, clock: Clock, ending: Ending) -> None:
    what, cut_off = "the note of this end", ending.cut_off
    await recorder.try_perform(lambda tx: records.end_run(tx, run.boot, clock.now(), cut_off), what)
    if cut_off is not None:
        _log.log(logging.WARNING if cut_off.number else logging.INFO, stops.ending(cut_off))


def _down_seconds(before: ServerRun | None, lock: Lock, now: int) -> float | None:
    if before is None:
        return None
    seen = before.ended_at or max(before.started_at, lock.last_touched or 0)
    return seconds(max(0, now - seen))

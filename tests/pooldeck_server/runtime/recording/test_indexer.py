"""The indexer: it follows the record at a distance, in parts, and starts where it was."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.recording.indexer import Indexer
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader
from tests.support import engine


class Record:
    """A store with a recorder, and the indexer that follows it."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self.reader = Reader(database, 1)
        self.recorder = Recorder(database, 10_000)
        self.indexer = Indexer(recorder=self.recorder, reader=self.reader, clock=self.clock)
        self._ids = TaskIds(self.clock)
        self._last = 0

    async def add(self, number: int, args: str = '["hay"]') -> None:
        """Store so many tasks."""
        await self.recorder.insert([self._new(args) for _ in range(number)])

    def _new(self, args: str) -> NewTask:
        self._last += 1
        return NewTask(
            seq=self._last,
            id=self._ids.next(),
            function="jobs.add",
            pool="cpu",
            state=State.QUEUED,
            priority=0,
            created_at=self.clock.now(),
            args=args,
            kwargs="{}",
        )

    async def not_indexed(self) -> int:
        return await self.reader.run(queries.not_indexed)

    async def found(self, text: str) -> int:
        """Return how many tasks a search finds that looks at hardly any row itself."""
        wanted = TaskFilter(text=text)
        page = await self.reader.run(queries.tasks, wanted, 50, None, 3)
        return len(page.items)


@contextlib.asynccontextmanager
async def record(folder: Path) -> AsyncIterator[Record]:
    database = Database.open(folder / "pooldeck.db", "normal")
    made = Record(database)
    made.recorder.start()
    try:
        yield made
    finally:
        await made.recorder.stop()
        made.reader.close()
        database.close()


async def test_what_was_stored_before_the_start_is_indexed_a_part_at_a_time(tmp_path: Path) -> None:
    async with record(tmp_path) as store:
        await store.add(1, '["needle"]')
        await store.add(2400)
        left = []
        while await store.not_indexed():
            await store.indexer.step()
            left.append(await store.not_indexed())
        assert left == sorted(set(left), reverse=True)
        assert len(left) > 2
        assert await store.found("needle") == 1


async def test_it_rests_longer_than_it_works_and_idles_when_all_is_indexed(tmp_path: Path) -> None:
    async with record(tmp_path) as store:
        await store.add(300)
        working = await store.indexer.step()
        assert working > 0
        assert await store.indexer.step() == await store.indexer.step() == 5.0


async def test_the_newest_are_left_until_nothing_before_them_can_come_any_more(
    tmp_path: Path,
) -> None:
    async with record(tmp_path) as store:
        await store.indexer.step()
        await store.add(10)
        await store.indexer.step()
        store.clock.advance(6)
        await store.indexer.step()  # sees them for the first time
        assert await store.not_indexed() == 10
        await store.add(5)
        store.clock.advance(6)
        await store.indexer.step()
        assert await store.not_indexed() == 5


async def test_long_arguments_make_small_parts(tmp_path: Path) -> None:
    async with record(tmp_path) as store:
        await store.add(60, f'["{"x" * 5000}"]')
        await store.indexer.step()
        assert 30 < await store.not_indexed() < 60
        for _ in range(5):
            await store.indexer.step()
        assert await store.not_indexed() == 0


async def test_a_server_that_begins_again_goes_on_where_the_index_ends(tmp_path: Path) -> None:
    async with record(tmp_path) as store:
        await store.add(1, r'["caf\u00e9"]')
        await store.add(1200)
        await store.indexer.step()
        left = await store.not_indexed()
    async with record(tmp_path) as store:
        assert await store.not_indexed() == left > 0
        await store.indexer.step()
        assert await store.not_indexed() == 0
        assert await store.found("café") == 1


async def test_a_running_server_indexes_by_itself(tmp_path: Path) -> None:
    async with engine.engine(tmp_path) as server:
        await engine.submit(server, "add", 1, 2)
    async with engine.engine(tmp_path) as server:
        for _ in range(500):
            if await server.read(queries.not_indexed) == 0:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("nothing was indexed")

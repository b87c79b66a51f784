"""The one writer on bad days: locked, poisoned, stopped in the middle."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import Internal, StorageUnavailable
from pooldeck_server.domain.tasks.changes import Claim, End, Start, TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database, Reader
from tests.support.engine import eventually


class Kept:
    """A recorder with its database, and the moves that it has announced."""

    def __init__(self, database: Database, limit: int) -> None:
        self.database = database
        self.reader = Reader(database, threads=1)
        self.moves: list[TaskChanged] = []
        self.commits: list[list[int]] = []  # the numbers of the tasks that each moved
        self.recorder = Recorder(database, limit)

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        self.moves += moves
        self.commits.append([move.seq for move in moves])

    def state(self, seq: int) -> State | None:
        task = self.reader.call(queries.task, f"task-{seq}")
        return task.state if task else None


@asynccontextmanager
async def recorder(folder: Path, limit: int = 1000) -> AsyncIterator[Kept]:
    database = Database.open(folder / "pooldeck.sqlite3", busy_seconds=0.1)
    kept = Kept(database, limit)
    kept.recorder.start([kept])
    try:
        yield kept
    finally:
        await kept.recorder.stop()
        kept.reader.close()
        database.close()


def new(seq: int) -> NewTask:
    return NewTask(seq, f"task-{seq}", "f", "cpu", 0, 1, "[]", "{}", state=State.QUEUED)


def ended(seq: int) -> End:
    return End(seq, 1, State.SUCCEEDED, 2, result="null")


async def claimed(kept: Kept, seq: int) -> None:
    await kept.recorder.insert([new(seq)])
    granted = await kept.recorder.perform(lambda tx: records.claim(tx, [Claim(seq, 1)]))
    assert granted == {seq}


async def test_an_insert_returns_when_it_is_committed(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        await kept.recorder.insert([new(1), new(2)])
        assert kept.state(1) is kept.state(2) is State.QUEUED
        assert [move.seq for move in kept.moves] == [1, 2]


async def test_a_locked_database_refuses_submissions_and_keeps_what_has_happened(
    tmp_path: Path,
) -> None:
    async with recorder(tmp_path) as kept:
        await claimed(kept, 1)
        with closing(sqlite3.connect(kept.database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            kept.recorder.record_results([], [ended(1)])
            with pytest.raises(StorageUnavailable):
                await kept.recorder.insert([new(2)])
            assert kept.state(1) is State.QUEUED
            other.execute("ROLLBACK")
        await eventually(lambda: kept.state(1) is State.SUCCEEDED)
        assert kept.state(2) is None
        await kept.recorder.insert([new(3)])
        assert kept.state(3) is State.QUEUED


async def test_one_bad_write_fails_alone(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        await claimed(kept, 1)
        good = kept.recorder.insert([new(2)])
        bad = kept.recorder.insert([new(1)])  # its number is taken
        kept.recorder.record_results([], [ended(1)])
        results = await asyncio.gather(good, bad, return_exceptions=True)
        assert results[0] is None
        assert isinstance(results[1], Internal)
        await eventually(lambda: kept.state(1) is State.SUCCEEDED)
        assert kept.state(2) is State.QUEUED


async def test_a_start_and_an_end_in_one_commit_are_one_move(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        await claimed(kept, 1)
        kept.recorder.record_results([Start(1, 1, 1, 0.5, "cpu-1", 7, None)], [ended(1)])
        await eventually(lambda: len(kept.moves) > 1)  # told after the commit
        assert [move.state for move in kept.moves] == [State.QUEUED, State.SUCCEEDED]


async def test_a_submission_does_not_wait_for_the_ends_of_others_to_be_written(
    tmp_path: Path,
) -> None:
    async with recorder(tmp_path) as kept:
        for seq in range(1, 6):
            await claimed(kept, seq)
        begun, go_on = threading.Event(), threading.Event()

        def long_write(_: object) -> None:
            begun.set()
            go_on.wait(10)

        busy = asyncio.create_task(kept.recorder.perform(long_write))
        await asyncio.to_thread(begun.wait, 10)
        kept.recorder.record_results([], [ended(seq) for seq in range(1, 6)])
        submitting = asyncio.create_task(kept.recorder.insert([new(6)]))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(busy, submitting)
        await eventually(lambda: 5 in kept.commits[-1])
        assert kept.commits[-2:] == [[6], [1, 2, 3, 4, 5]]


async def test_ends_gather_while_submissions_come_one_after_the_other(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        for seq in range(1, 41):
            await claimed(kept, seq)
            kept.recorder.record_results([], [ended(seq)])
        await kept.recorder.written()
        ends = [move for move in kept.moves if move.state is State.SUCCEEDED]
        assert len(ends) == 40
        # An end alone goes with the submission after it at most.
        assert max(map(len, kept.commits)) > 3


async def test_an_end_that_somebody_waits_for_does_not_gather(tmp_path: Path) -> None:
    async def seconds_until_done(*, is_awaited: bool, first: int) -> float:
        took = 0.0
        for seq in range(first, first + 20):
            await claimed(kept, seq)
            began = time.perf_counter()
            if is_awaited:
                with kept.recorder.waiters.waiter(f"task-{seq}") as end:
                    kept.recorder.record_results([], [ended(seq)])
                    await end
            else:
                kept.recorder.record_results([], [ended(seq)])
                while kept.recorder.ends_done < seq:  # noqa: ASYNC110 - a pause would be counted
                    await asyncio.sleep(0)
            took += time.perf_counter() - began
        return took

    async with recorder(tmp_path) as kept:
        gathered = await seconds_until_done(is_awaited=False, first=1)
        awaited = await seconds_until_done(is_awaited=True, first=21)
        assert awaited < 0.8 * gathered


async def test_too_many_waiting_submissions_are_refused(tmp_path: Path) -> None:
    async with recorder(tmp_path, limit=2) as kept:
        with pytest.raises(StorageUnavailable, match="wait to be written"):
            await kept.recorder.insert([new(1), new(2), new(3)])
        await kept.recorder.insert([new(1), new(2)])


async def test_stopping_writes_what_waits(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        await claimed(kept, 1)
        kept.recorder.record_results([], [ended(1)])
    with closing(sqlite3.connect(tmp_path / "pooldeck.sqlite3")) as after:
        found = after.execute("SELECT state FROM tasks").fetchall()
    assert found == [("succeeded",)]


async def test_followers_are_told_in_order_and_before_those_who_wait(tmp_path: Path) -> None:
    told: list[str] = []

    class Follower:
        def __init__(self, name: str) -> None:
            self.name = name

        def on_commit(self, moves: Sequence[TaskChanged]) -> None:
            told.extend(f"{self.name} {move.id}" for move in moves)

    database = Database.open(tmp_path / "pooldeck.sqlite3")
    plain = Recorder(database, 10)
    plain.start([Follower("first"), Follower("second")])
    await plain.insert([new(1)])
    assert told == ["first task-1", "second task-1"]
    await plain.stop()
    database.close()


async def test_a_write_that_can_be_done_without_fails_with_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with recorder(tmp_path) as kept:
        with closing(sqlite3.connect(kept.database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert not await kept.recorder.try_perform(lambda _: None, "a small thing")
            other.execute("ROLLBACK")
        assert await kept.recorder.try_perform(lambda _: None, "a small thing")
    assert "a small thing: not kept: " in caplog.text


async def test_an_end_counts_as_done_when_it_is_on_record_and_not_before(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        for seq in range(1, 11):
            await claimed(kept, seq)
        for seq in range(1, 11):
            kept.recorder.record_results([], [ended(seq)])
            await kept.recorder.perform(lambda _: None)  # which need not wait for the ends
            done = kept.recorder.ends_done
            assert [kept.state(each) for each in range(1, done + 1)] == done * [State.SUCCEEDED]
        assert kept.recorder.ends_given == 10
        await eventually(lambda: kept.recorder.ends_done == 10)


async def test_an_end_that_the_database_does_not_take_is_not_done(tmp_path: Path) -> None:
    async with recorder(tmp_path) as kept:
        await claimed(kept, 1)
        with closing(sqlite3.connect(kept.database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            kept.recorder.record_results([], [ended(1)])
            await eventually(lambda: kept.recorder.trouble is not None)
            assert kept.recorder.ends_done == 0
            other.execute("ROLLBACK")
        await eventually(lambda: kept.recorder.ends_done == 1)
        assert kept.state(1) is State.SUCCEEDED

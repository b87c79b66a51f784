"""Retention over weeks, on a real store with a clock of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.domain.actions import ActionFilter, Deed
from pooldeck_server.domain.errors import Conflict, Draining
from pooldeck_server.domain.leaps import ClockMemory
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.retention import (
    DAY,
    FunctionRetention,
    RetentionRules,
    StorageDay,
    growth_per_day,
)
from pooldeck_server.domain.tasks.changes import Claim, End
from pooldeck_server.domain.tasks.dependencies import Dependency, DependentTask, Rule
from pooldeck_server.domain.tasks.pipelines import Dependencies, PlannedPipeline
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock
from pooldeck_server.runtime.retention.deleting import Deleting
from pooldeck_server.runtime.retention.retention import Retention
from pooldeck_server.runtime.retention.storage import Storage
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.settings import RetentionSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database
from tests.support.schemas import make_older_again
from tests.support.stored import Store, make


class Server:
    """A store with a recorder, and the part that deletes."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.store = store
        self.clock = store.clock
        self.recorder = Recorder(store.database, 10_000)
        self.counts = Counts(self.clock)
        self.counts.load(
            ((each.pool, each.state, each.n) for each in store.read(queries.counts)), ()
        )
        self.recorder.start([self.counts])
        self.is_ending = False
        self.deleting = Deleting(
            recorder=self.recorder,
            counts=self.counts,
            changes=LiveChanges(),
            is_ending=lambda: self.is_ending,
        )
        self.is_held = False
        self.retention = Retention(
            settings=RetentionSettings(**settings),
            kept=store.read(queries.kept_rules),
            recorder=self.recorder,
            reader=store.reader,
            clock=self.clock,
            vouched=VouchedClock(
                clock=self.clock,
                changes=LiveChanges(),
                memory=store.read(queries.clock_memory),
            ),
            changes=LiveChanges(),
            is_held=lambda: self.is_held,
            deleting=self.deleting,
        )

    async def end(self, state: State = State.SUCCEEDED, **changes: Any) -> NewTask:
        """Store a task that ends now."""
        task = self.store.new(**changes)
        await self.recorder.insert([task])
        now = self.clock.now()
        if state is State.CANCELLED:
            await self.recorder.perform(lambda tx: records.cancel(tx, [task.seq], now))
        else:
            start = self.store.start_of(task)
            await self.recorder.perform(lambda tx: records.claim(tx, [Claim(task.seq, 1)]))
            await self.recorder.perform(lambda tx: records.start(tx, [start]))
            await self.recorder.perform(lambda tx: records.end(tx, [End(task.seq, 1, state, now)]))
        return task

    def is_doubted(self) -> bool:
        return self.retention.vouched.leap is not None

    async def kept(self) -> set[int]:
        rows = await self.store.reader.run(
            lambda connection: connection.exec_driver_sql("SELECT seq FROM tasks").all()
        )
        return {row[0] for row in rows}

    def check_counts(self) -> None:
        """See that the counts of the store and of the pages say what is there."""
        kept, counted = self.store.counters_and_recount()
        assert {key: n for key, n in kept.items() if n} == counted
        shown = {state: n for state, n in self.counts.counts().items() if n}
        by_state: dict[State, int] = {}
        for (_, _, state), number in counted.items():
            by_state[state] = by_state.get(state, 0) + number
        assert shown == by_state


@contextlib.asynccontextmanager
async def server(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    path = folder / "pooldeck.db"
    make(path)
    store = Store(Database.open(path, "normal"))
    made = Server(store, **settings)
    try:
        yield made
    finally:
        await made.recorder.stop()
        store.reader.close()
        store.database.close()


async def test_over_weeks_each_state_goes_when_it_is_its_time(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        ends = [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST]
        first = {state: (await one.end(state)).seq for state in ends}
        waiting = one.store.new()
        await one.recorder.insert([waiting])
        kept_on = {}
        for day in range(1, 101):
            one.clock.advance(24 * 3600)
            if day % 10 == 0:
                await one.retention.step()
                kept_on[day] = await one.kept()
        assert all(seq in kept_on[20] for seq in first.values())
        assert first[State.SUCCEEDED] not in kept_on[30]
        assert {first[State.FAILED], first[State.CANCELLED], first[State.LOST]} <= kept_on[80]
        assert kept_on[90] == kept_on[100] == {waiting.seq}
        assert one.deleting.ends.total() == 4
        one.check_counts()


async def test_what_has_no_limit_stays(tmp_path: Path) -> None:
    own = {"acme.*": {"days": 3}, "jobs.add": {"days": "never"}}
    async with server(tmp_path, succeeded=5, functions=own) as one:
        forever = await one.end()
        other = await one.end(function="jobs.other")
        acme = await one.end(State.FAILED, function="acme.report")
        one.clock.advance(4 * 24 * 3600)
        await one.retention.step()
        assert await one.kept() == {forever.seq, other.seq}
        assert acme.seq not in await one.kept()
        one.clock.advance(3000 * 24 * 3600)
        await one.retention.step()
        assert await one.kept() == {forever.seq}


async def test_over_the_number_in_all_the_oldest_go_the_succeeded_first(tmp_path: Path) -> None:
    async with server(tmp_path, most=4) as one:
        failed = [(await one.end(State.FAILED)).seq for _ in range(3)]
        succeeded = [(await one.end()).seq for _ in range(3)]
        await one.retention.step()
        assert await one.kept() == {*failed, succeeded[-1]}
        more = [(await one.end(State.FAILED)).seq for _ in range(2)]
        await one.retention.step()
        assert await one.kept() == {*failed[1:], *more}
        one.check_counts()


async def test_a_function_has_a_number_of_its_own(tmp_path: Path) -> None:
    async with server(tmp_path, functions={"jobs.*": {"most": 2}}) as one:
        mine = [(await one.end()).seq for _ in range(4)]
        others = [(await one.end(function="acme.report")).seq for _ in range(3)]
        await one.retention.step()
        assert await one.kept() == {*mine[2:], *others}


async def test_a_pipeline_goes_with_the_last_of_its_tasks(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        good, bad = await one.end(), await one.end(State.FAILED)
        places = tuple(
            DependentTask(task.seq, pipeline="p", step=str(task.seq)) for task in (good, bad)
        )
        ties = Dependencies(places, (), PlannedPipeline("p", None, one.clock.now()))
        await one.recorder.perform(lambda tx: records.add_dependencies(tx, ties))
        one.clock.advance(31 * 24 * 3600)
        assert await one.retention.step() == 0
        one.clock.advance(60 * 24 * 3600)
        assert await one.retention.step() == 2
        assert one.store.read(queries.pipeline, "p") is None


async def _tie(one: Server, steps: dict[str, NewTask], *needs: tuple[str, str]) -> None:
    """Make a pipeline of tasks; of each pair of steps the second comes after the first."""
    places = tuple(DependentTask(task.seq, pipeline="p", step=name) for name, task in steps.items())
    edges = tuple(
        Dependency(steps[before].seq, steps[after].seq, before, Rule.STOP)
        for before, after in needs
    )
    ties = Dependencies(places, edges, PlannedPipeline("p", None, one.clock.now()))
    await one.recorder.perform(lambda tx: records.add_dependencies(tx, ties))


async def test_by_number_a_pipeline_goes_as_a_whole_after_what_succeeded(tmp_path: Path) -> None:
    async with server(tmp_path, most=3) as one:
        steps = {
            "good": await one.end(),
            "bad": await one.end(State.FAILED),
            "total": await one.end(State.CANCELLED),
        }
        await _tie(one, steps, ("good", "total"), ("bad", "total"))
        inputs = {task.seq for task in steps.values()}
        single = await one.end()
        await one.retention.step()
        assert await one.kept() == inputs
        assert single.seq not in await one.kept()

        later = await one.end(State.FAILED)
        await one.retention.step()
        assert await one.kept() == {later.seq}
        assert one.store.read(queries.pipeline, "p") is None
        one.check_counts()


async def test_by_number_nothing_goes_of_a_pipeline_that_lives(tmp_path: Path) -> None:
    async with server(tmp_path, most=1, functions={"jobs.*": {"most": 1}}) as one:
        steps = {"good": await one.end(), "more": await one.end(), "total": one.store.new()}
        await one.recorder.insert([steps["total"]])
        await _tie(one, steps, ("good", "total"))
        await one.retention.step()
        assert await one.kept() == {task.seq for task in steps.values()}


async def test_what_waits_does_not_count_for_the_numbers(tmp_path: Path) -> None:
    async with server(tmp_path, most=3, functions={"jobs.*": {"most": 2}}) as one:
        for _ in range(10):
            await one.recorder.insert([one.store.new()])
        fresh = {(await one.end()).seq for _ in range(2)}
        fresh.add((await one.end(function="acme.report")).seq)
        assert await one.retention.step() == 0
        assert fresh <= await one.kept()


async def test_a_deletion_comes_back_to_what_was_needed_by_what_went_later(tmp_path: Path) -> None:
    """The tasks of a list are newer than the one after them, which may ask for their results."""
    async with server(tmp_path) as one:
        total = await one.end(State.CANCELLED)
        items = [await one.end() for _ in range(40)]
        steps = {"total": total} | {f"item{place}": task for place, task in enumerate(items)}
        await _tie(one, steps, *((name, "total") for name in steps if name != "total"))
        one.clock.advance(100 * 24 * 3600)
        assert await one.retention.step() == 41
        assert await one.kept() == set()


async def test_what_somebody_keeps_is_passed_by(tmp_path: Path) -> None:
    async with server(tmp_path, most=1) as one:
        pinned, plain = await one.end(), await one.end()
        await one.recorder.perform(lambda tx: records.keep_task(tx, pinned.id, 5))
        one.clock.advance(40 * 24 * 3600)
        await one.retention.step()
        assert await one.kept() == {pinned.seq}
        assert plain.seq not in await one.kept()


async def test_an_upgraded_database_deletes_nothing_before_somebody_said_yes(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as one:
        old = await one.end()
    make_older_again(tmp_path / "pooldeck.db", "0010")
    async with server(tmp_path) as one:
        one.clock.advance(40 * 24 * 3600)
        assert one.retention.waits_for_a_word
        assert await one.retention.step() == 0
        task = one.store.task(old)
        assert one.retention.expires_at(task) is None

        await one.retention.allow()
        assert one.retention.expires_at(task) == (task.finished_at or 0) + 30 * DAY
        assert await one.retention.step() == 1
        with pytest.raises(Conflict):
            await one.retention.allow()
    async with server(tmp_path) as one:
        assert not one.retention.waits_for_a_word


async def test_nothing_goes_while_a_backup_waits_for_a_word(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        await one.end()
        one.clock.advance(40 * 24 * 3600)
        one.is_held = True
        assert await one.retention.step() == 0
        one.is_held = False
        assert await one.retention.step() == 1


async def test_rules_that_were_set_go_before_the_settings_and_outlive_a_restart(
    tmp_path: Path,
) -> None:
    rules = RetentionRules(succeeded=1, functions=(FunctionRetention("jobs.*", 2.5, 10),))
    async with server(tmp_path) as one:
        await one.retention.set_rules(rules)
    async with server(tmp_path, succeeded=5) as one:
        assert one.retention.rules == rules
        await one.retention.set_rules(None)
        assert one.retention.rules == RetentionRules(succeeded=5)


async def test_submissions_get_between_the_parts_of_a_long_deletion(tmp_path: Path) -> None:
    async with server(tmp_path, succeeded=1) as one:
        for _ in range(200):
            await one.end()
        one.clock.advance(2 * 24 * 3600)
        deletion = asyncio.create_task(one.retention.step())
        between = []  # how many were deleted before each submission
        while not deletion.done():
            await one.recorder.insert([one.store.new()])
            between.append(one.deleting.ends.total())
        assert await deletion == 200
        assert [number for number in between if 0 < number < 200]
        one.check_counts()


async def test_a_long_deletion_stops_between_two_parts_when_the_server_ends(tmp_path: Path) -> None:
    async with server(tmp_path, succeeded=1) as one:
        for _ in range(200):
            await one.end()
        one.clock.advance(2 * 24 * 3600)
        deletion = asyncio.create_task(one.retention.step())
        while not one.deleting.ends.total():
            await one.recorder.insert([one.store.new()])
        one.is_ending = True
        with pytest.raises(Draining):
            await deletion
        assert 0 < one.deleting.ends.total() < 200
        one.check_counts()


async def test_what_belongs_to_no_task_goes_when_it_is_too_old(tmp_path: Path) -> None:
    async with server(tmp_path, others=10) as one:
        await one.end()
        now = one.clock.now()
        await one.recorder.perform(lambda tx: records.save_day(tx, now // DAY, 5, 1))
        one.clock.advance(401 * 24 * 3600)
        await one.retention.step()
        counted = await one.store.reader.run(
            lambda connection: [
                connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                for table in ("activity", "annotations", "storage_days")
            ]
        )
        assert counted == [0, 0, 0]


async def test_what_belongs_to_no_task_is_looked_for_once_an_hour(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        await one.retention.step()
        day = one.clock.now() // DAY - 500
        await one.recorder.perform(lambda tx: records.save_day(tx, day, 5, 1))
        left = []
        for minutes in (1, 58, 1):
            one.clock.advance(minutes * 60)
            await one.retention.step()
            left.append(len(await one.store.reader.run(queries.stored_days, 9)))
        assert left == [1, 1, 0]


async def test_the_room_in_the_file_is_told_and_used_again(tmp_path: Path) -> None:
    async with server(tmp_path, succeeded=1) as one:
        storage = Storage(
            folder=tmp_path,
            low_disk_bytes=1,
            recorder=one.recorder,
            reader=one.store.reader,
            clock=one.clock,
            counts=one.counts,
            changes=LiveChanges(),
        )
        for _ in range(20):
            await one.end(args=f'["{"x" * 20_000}"]')
        await storage.step()
        before = storage.room
        one.clock.advance(2 * 24 * 3600)
        await one.retention.step()
        await storage.step()
        assert storage.room.free_bytes > before.free_bytes + 300_000
        assert [each.tasks for each in storage.days] == [20, 0]
        assert storage.growth_per_day is not None
        assert storage.growth_per_day < 0
        full = storage.room.bytes
        for _ in range(15):
            await one.end(args=f'["{"x" * 20_000}"]')
        await storage.step()
        assert storage.room.bytes == full
        assert not storage.is_low
        assert storage.disk_free_bytes


def test_a_small_disk_is_low_at_a_tenth_and_a_large_one_at_the_setting() -> None:
    def is_low(total: int, free: int) -> bool:
        storage = object.__new__(Storage)
        storage.low_disk_bytes, storage.disk_bytes, storage.disk_free_bytes = 1000, total, free
        return storage.is_low

    assert [is_low(100_000, free) for free in (999, 1000)] == [True, False]
    assert [is_low(5_000, free) for free in (499, 500)] == [True, False]


def test_growth_is_what_came_to_what_is_in_use_in_a_day() -> None:
    assert growth_per_day([StorageDay(5, 1000, 1)]) is None
    assert growth_per_day([StorageDay(5, 1000, 1), StorageDay(9, 3000, 4)]) == 500


MONTH = 31 * 24 * 3600.0  # seconds


async def test_a_clock_that_leaps_ahead_for_a_moment_deletes_nothing(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        task = await one.end()
        await one.retention.step()
        one.clock.wall += int(MONTH * 1_000_000)
        assert await one.retention.step() == 0
        assert await one.kept() == {task.seq}
        assert (await one.retention.upcoming())[State.SUCCEEDED] == (0, 0)
        assert one.is_doubted()
        one.clock.wall -= int(MONTH * 1_000_000)
        await one.retention.step()
        assert not one.is_doubted()
        assert await one.store.reader.run(queries.clock_memory) == ClockMemory(
            newest=task.created_at
        )


async def test_while_the_clock_is_doubted_things_grow_old_at_the_usual_pace(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        task = await one.end()
        one.clock.advance(20 * 24 * 3600)
        await one.retention.step()
        one.clock.wall += int(MONTH * 1_000_000)
        await one.retention.step()
        one.clock.advance(9 * 24 * 3600)
        await one.retention.step()
        assert await one.kept() == {task.seq}
        one.clock.advance(1 * 24 * 3600)
        await one.retention.step()
        assert await one.kept() == set()


async def test_a_clock_that_is_vouched_for_counts(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        await one.end()
        with pytest.raises(Conflict):
            await one.retention.vouch()
        one.clock.wall += int(MONTH * 1_000_000)
        await one.retention.step()
        await one.retention.vouch()
        await one.retention.step()
        assert await one.kept() == set()
        assert not one.is_doubted()
        (action,) = await one.store.reader.run(
            lambda connection: (
                queries.actions(connection, ActionFilter(deeds=(Deed.VOUCH_FOR_CLOCK,)), 10).items
            )
        )
        assert action.before == {"seconds_ahead": int(MONTH)}


async def test_a_start_while_the_clock_is_still_ahead_knows_of_it(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        task = await one.end()
        one.clock.wall += int(MONTH * 1_000_000)
        await one.retention.step()
        ahead = one.clock.wall
        await one.end()  # which has the wrong time
    async with server(tmp_path) as again:
        again.clock.wall = ahead
        began = Server(again.store)
        await began.retention.step()
        assert task.seq in await began.kept()
        assert began.is_doubted()
        await began.recorder.stop()
    async with server(tmp_path) as back:  # the clock is as it was
        await back.retention.step()
        assert not back.is_doubted()
        assert back.store.read(queries.clock_memory).leap is None


async def test_after_a_long_time_off_nothing_goes_before_a_day_has_passed(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        await one.end()
        later = one.clock.wall + int(2 * MONTH * 1_000_000)
    async with server(tmp_path) as after:
        after.clock.wall = later
        began = Server(after.store)
        await began.retention.step()
        assert len(await began.kept()) == 1
        began.clock.advance(23 * 3600)
        await began.retention.step()
        assert len(await began.kept()) == 1
        began.clock.advance(2 * 3600)
        await began.retention.step()
        assert await began.kept() == set()
        await began.recorder.stop()


async def test_a_start_after_a_long_time_off_settles_after_a_restart_too(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        await one.end()
        later = one.clock.wall + int(2 * MONTH * 1_000_000)
    for hours, left in ((12, 1), (25, 0)):
        async with server(tmp_path) as after:
            after.clock.wall = later
            began = Server(after.store)
            await began.retention.step()
            assert began.is_doubted()
            began.clock.advance(hours * 3600)
            await began.retention.step()
            assert len(await began.kept()) == left
            later = began.clock.wall
            await began.recorder.stop()


async def test_a_machine_that_slept_is_not_doubted(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        await one.end()
        one.clock.wall += int(MONTH * 1_000_000)
        one.clock.suspended += MONTH
        await one.retention.step()
        assert not one.is_doubted()
        assert await one.kept() == set()


async def test_marks_and_actions_are_not_too_old_by_a_leap(tmp_path: Path) -> None:
    async with server(tmp_path) as one:
        now = one.clock.now()
        mark = StoredAnnotation(now, "start", None, None, {}, None)
        await one.recorder.perform(lambda tx: records.annotate(tx, [mark]))
        one.clock.wall += int(20 * MONTH * 1_000_000)
        await one.retention.step()
        found = await one.store.reader.run(
            lambda connection: connection.exec_driver_sql("SELECT n FROM annotations").all()
        )
        assert len(found) == 1


@pytest.mark.parametrize("days", [-400, -1, 0.5])
async def test_a_clock_that_is_put_a_little_or_back_is_not_doubted(
    tmp_path: Path, days: float
) -> None:
    async with server(tmp_path) as one:
        one.clock.wall += int(days * DAY)
        assert one.retention.vouched.now() == one.clock.wall
        assert not one.is_doubted()

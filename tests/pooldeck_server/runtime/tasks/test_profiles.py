"""What runs cost is learnt from real workers, kept over a restart, and turned into advice."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.advice import Verdict
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.measurements.profiles import HALF_LIFE
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader
from tests.support.engine import engine, eventually, outcome, submit

ADD = "runtime_functions.add"


async def add_up(server: Server, number: int, pool: str) -> None:
    """Run a function some times, one after the other."""
    for _ in range(number):
        assert (await outcome(server, await submit(server, "add", 1, 2, pool=pool))).result


async def test_real_runs_become_a_profile_of_the_kind_of_pool_they_ran_in(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await add_up(server, 4, "io")
        await add_up(server, 2, "cpu")
        profiles = server.profiles.of(ADD)
        assert {kind: its.runs_ever for kind, its in profiles.items()} == {
            "thread": 4,
            "process": 2,
        }
        advice = server.advisor.of(ADD)
        assert advice is not None
        assert advice.verdict is Verdict.TOO_CHEAP


async def test_a_profile_outlives_the_server(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await add_up(server, 3, "io")
    known = server.profiles.of(ADD)[PoolKind.THREAD]  # nothing more is seen of its runs
    async with engine(tmp_path) as server:
        assert server.profiles.of(ADD)[PoolKind.THREAD] == known
        await add_up(server, 1, "io")
        assert server.profiles.of(ADD)[PoolKind.THREAD].runs_ever == 4


async def test_advice_follows_the_runs(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        before = server.advisor.of(ADD)
        assert before is not None
        assert before.verdict is Verdict.UNKNOWN
        assert server.advisor.of(ADD) is before  # nothing has changed
        await add_up(server, 3, "io")
        after = server.advisor.of(ADD)
        assert after is not None
        assert after.verdict is not Verdict.UNKNOWN


async def test_advice_follows_the_size_of_a_pool(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        for _ in range(3):
            server.profiles.add_measurement(ADD, PoolKind.PROCESS, Measurement(run=0.1, cpu=0.0))
        before = server.advisor.of(ADD)
        await server.pools.resize("io", 8)
        after = server.advisor.of(ADD)
        assert before is not None
        assert before.cost is not None
        assert after is not None
        assert after.cost is not None
        assert after.cost.gain > 1.9 * before.cost.gain


async def test_misplaced_functions_are_listed(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        assert server.advisor.misplaced() == ()
        for _ in range(5):  # the function runs in processes, and does nothing but wait
            server.profiles.add_measurement(ADD, PoolKind.PROCESS, Measurement(run=0.5, cpu=0.0))
        (advice,) = server.advisor.misplaced()
        assert advice.function == ADD
        assert advice.recommended is not None
        assert advice.recommended.pool == "io"


def test_the_probe_of_real_workers_reaches_the_profile(tmp_path: Path) -> None:
    flag = tmp_path / "go"

    async def story() -> None:
        async with engine(tmp_path) as server:
            waiting = await submit(server, "wait_for", str(flag), pool="io")
            name = "runtime_functions.wait_for"

            def looks() -> float:
                profiles = server.profiles.of(name)
                return profiles[PoolKind.THREAD].total.looks if PoolKind.THREAD in profiles else 0.0

            await eventually(lambda: looks() > 0)
            flag.write_text("go")
            await outcome(server, waiting)

    asyncio.run(story())


async def test_of_many_runs_the_latest_count_and_all_are_counted(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pooldeck.db", "normal")
    try:
        profiles = Profiles(recorder=Recorder(database, 100), clock=ManualClock())
        for seconds in [9.0] * HALF_LIFE + [1.0] * 10 * HALF_LIFE:
            profiles.add_measurement("f", PoolKind.THREAD, Measurement(run=seconds, cpu=0.0))
        profiles.add_observations(PoolKind.THREAD, [Observation("f", 5, 0.0, 0.0, 5.0, 0.0, 0.0)])
        known = profiles.of("f")[PoolKind.THREAD]
        assert known.runs_ever == 11 * HALF_LIFE
        assert known.wall == 1.0
        assert known.total.looks == 5
    finally:
        database.close()


async def test_what_cannot_be_written_is_written_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "pooldeck.db"

    database = Database.open(file, "normal")
    recorder = Recorder(database, 100)
    reader = Reader(database, threads=1)
    recorder.start()
    profiles = Profiles(recorder=recorder, clock=ManualClock())
    profiles.add_measurement("f", PoolKind.THREAD, Measurement(run=1.0, cpu=0.0))
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await profiles.write()
        assert reader.call(queries.profiles) == []
        other.execute("ROLLBACK")
    await profiles.write()
    assert [each.runs_ever for each in reader.call(queries.profiles)] == [1]
    reader.close()
    await recorder.stop()
    database.close()

"""What ran is in the history, in this run of the server and in the next."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.measurements.histograms import ERROR
from pooldeck_server.domain.pools.health import PoolHealth, SwitchRates, WorkerHealth
from pooldeck_server.domain.pools.history import ChartRequest, Stretch
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.live.history import PoolHistory
from pooldeck_server.runtime.live.recent import RecentMinutes
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader
from tests.support.clocks import vouched
from tests.support.engine import engine, eventually, outcome, submit

START = 1_700_000_000 // 600 * 600  # seconds; the beginning of ten minutes


class Measured:
    """A history with its recorder and store, of pools that the test makes up."""

    def __init__(self, database: Database) -> None:
        self.reader = Reader(database, threads=1)
        self.recorder = Recorder(database, 100)
        self.clock = ManualClock(wall=START * 1_000_000)
        self.pools: tuple[PoolHealth, ...] = (pool(),)
        self.begin(())

    def begin(self, kept: Sequence[Stretch]) -> None:
        """Begin anew, as after a start of the server."""
        self.history = PoolHistory(
            recorder=self.recorder,
            annotations=Annotations(recorder=self.recorder, clock=self.clock),
            clock=self.clock,
            vouched=vouched(self.clock),
            recent=RecentMinutes(kept),
            pools=lambda: self.pools,
        )
        self.history.start()

    def ended(self, number: int, wait: float = 0.1, run: float = 0.2) -> None:
        """Announce tasks that came and succeeded."""
        moves = []
        for seq in range(number):
            moves.append(TaskChanged(seq, str(seq), "f", "cpu", None, State.QUEUED))
            moves.append(
                TaskChanged(seq, str(seq), "f", "cpu", State.QUEUED, State.SUCCEEDED, wait, run, 1)
            )
        self.history.on_commit(moves)

    def pass_seconds(self, seconds: int) -> None:
        """Let time pass, and the history look once a second."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.history.sample()

    def kept(self) -> list[Stretch]:
        now = self.clock.now() // 1_000_000
        found = self.reader.call(queries.stretches, START, now)
        return [stretch for stretch in found if stretch.samples]

    def shown(self) -> int:
        """Return how many ends a chart shows."""
        wanted = ChartRequest(period=900)
        chart = self.reader.call(queries.history, wanted, self.clock.now())
        return round(
            sum(value or 0.0 for line in chart.lines for value in line.values) * chart.step
        )

    def rate(self) -> float:
        recent = self.history.recent.of("cpu")
        assert recent is not None
        return recent.throughput


@asynccontextmanager
async def measured(folder: Path) -> AsyncIterator[Measured]:
    database = Database.open(folder / "pooldeck.sqlite3", "normal", busy_seconds=0.1)
    kept = Measured(database)
    kept.recorder.start()
    try:
        yield kept
    finally:
        await kept.history.stop()
        await kept.recorder.stop()
        kept.reader.close()
        database.close()


def pool(busy: int = 0, oldest_wait: float | None = None, rss: int = 1000) -> PoolHealth:
    worker = WorkerHealth(
        id="cpu-1",
        pid=1,
        state="busy",
        started_at=None,
        tasks_done=0,
        slots=(),
        rss_bytes=rss,
        cpu_percent=50.0,
        ctx_switches_per_s=SwitchRates(20.0, 5.0),
    )
    return PoolHealth(
        name="cpu",
        kind=PoolKind.PROCESS,
        size=4,
        state="running",
        reason=None,
        busy=busy,
        queued=7,
        oldest_wait=oldest_wait,
        incidents=0,
        workers=(worker, worker),
    )


def rate(server: Server, name: str) -> float:
    recent = server.health.recent.of(name)
    return recent.throughput if recent else 0.0


async def ends(server: Server) -> "Counter[str]":
    """Return how many tasks of all functions ended in each state, as the history has it."""
    shown = await server.read(
        queries.history, ChartRequest(period=900, by="state"), server.clock.now()
    )
    return +Counter(
        {
            line.name: round(sum(value or 0.0 for value in line.values) * shown.step)
            for line in shown.lines
        }
    )


async def test_history_counts_what_ran_and_outlives_the_server(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        ran = [await submit(server, "add", n, 1, pool="io") for n in range(20)]
        ran.append(await submit(server, "fail_until", str(tmp_path / "a"), 9, retries=0))
        for task_id in ran:
            await outcome(server, task_id)
    async with engine(tmp_path / "data") as server:
        assert await ends(server) == {"succeeded": 20, "failed": 1}
        await outcome(server, await submit(server, "add", 1, 1))
    async with engine(tmp_path / "data") as server:
        assert await ends(server) == {"succeeded": 21, "failed": 1}


def test_a_server_that_runs_keeps_history_and_shows_the_last_minutes(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path) as server:
            number = 0
            while rate(server, "io") == 0:
                await outcome(server, await submit(server, "add", number, 1, pool="io"))
                number += 1
            while (await ends(server)).total() < number:  # noqa: ASYNC110  bounded by the test
                await asyncio.sleep(0.1)
            assert await ends(server) == {"succeeded": number}

    asyncio.run(asyncio.wait_for(story(), 60))


async def test_a_stretch_is_ten_seconds_of_looks_and_moves(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        kept.pools = (pool(busy=4, oldest_wait=2.0),)
        kept.ended(6)
        kept.pass_seconds(5)
        kept.pools = (pool(busy=0, rss=3000),)
        kept.pass_seconds(5)
        await eventually(lambda: bool(kept.kept()))
        (stretch,) = kept.kept()
        (sample,), (flow,) = stretch.samples, stretch.flows
        assert (sample.at, sample.slots, sample.queued) == (START, 4.0, 7.0)
        assert 1.0 < sample.busy < 3.0
        assert sample.oldest_wait == 2.0
        assert (sample.cpu_percent, sample.voluntary, sample.involuntary) == (100, 40, 10)
        assert 2000 < sample.rss_bytes < 6000
        assert (flow.submitted, flow.succeeded, flow.function) == (6, 6, "f")


async def test_what_ended_in_a_stretch_before_the_first_look_at_a_pool_is_shown(
    tmp_path: Path,
) -> None:
    async with measured(tmp_path) as kept:
        kept.pools = ()  # as long as the server starts
        kept.pass_seconds(9)
        kept.pools = (pool(),)
        kept.ended(6)
        kept.pass_seconds(1)
        await eventually(lambda: bool(kept.kept()))
        assert kept.shown() == 6


async def test_an_idle_stretch_is_a_sample_and_nothing_else(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        kept.pass_seconds(10)
        await eventually(lambda: bool(kept.kept()))
        (stretch,) = kept.kept()
        assert len(stretch.samples) == 1
        assert stretch.flows == ()


async def test_what_the_database_refuses_waits_and_leaves_no_gap(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        with closing(sqlite3.connect(tmp_path / "pooldeck.sqlite3")) as other:
            other.execute("BEGIN IMMEDIATE")
            kept.ended(3)
            kept.pass_seconds(10)
            await eventually(lambda: kept.recorder.trouble is not None)
            other.rollback()
        await asyncio.sleep(0)
        kept.ended(4)

        def in_order() -> list[int]:
            kept.pass_seconds(10)  # the next stretch takes along what waits
            return [n for one in kept.kept() if (n := sum(flow.succeeded for flow in one.flows))]

        await eventually(lambda: in_order() == [3, 4])


async def test_the_end_writes_the_stretch_that_has_begun(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        kept.ended(2)
        kept.pass_seconds(3)
        await kept.history.stop()
        (stretch,) = kept.reader.call(queries.stretches, START, START + 10)
        assert [flow.succeeded for flow in stretch.flows] == [2]
        kept.begin(())


async def test_the_last_minutes_are_of_the_last_minutes(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        kept.history.sample()
        kept.ended(60, wait=1.0, run=2.0)
        kept.pools = (pool(busy=2),)
        kept.pass_seconds(60)
        recent = kept.history.recent.of("cpu")
        assert recent is not None
        assert recent.throughput == pytest.approx(1.0)
        assert recent.utilization == pytest.approx(0.5, rel=0.05)
        assert recent.wait_p95 == pytest.approx(1.0, rel=ERROR)
        assert recent.run_p95 == pytest.approx(2.0, rel=ERROR)
        assert recent.spark == (6.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        kept.pass_seconds(60)
        assert kept.rate() == 0.0
        kept.pass_seconds(200)
        recent = kept.history.recent.of("cpu")
        assert recent is not None
        assert (recent.wait_p95, recent.run_p95) == (None, None)


async def test_sparklines_and_percentiles_go_on_where_the_last_server_ended(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        kept.ended(10, wait=1.0)
        kept.pass_seconds(10)
        await eventually(lambda: bool(kept.kept()))
        await kept.history.stop()
        kept.clock.advance(20)
        now = START + 30
        kept.begin(kept.reader.call(queries.stretches, START, now))
        kept.history.sample()
        kept.pass_seconds(1)
        recent = kept.history.recent.of("cpu")
        assert recent is not None
        assert recent.spark == (1.0, 0.0, 0.0)
        assert recent.wait_p95 == pytest.approx(1.0, rel=ERROR)
        assert recent.throughput == 0.0, "what ended before the start is no rate of now"


async def test_a_wait_is_counted_once_whether_its_start_was_told_or_not(tmp_path: Path) -> None:
    async with measured(tmp_path) as kept:
        started = TaskChanged(1, "1", "f", "cpu", State.QUEUED, State.RUNNING, 1.0)
        then = TaskChanged(1, "1", "f", "cpu", State.RUNNING, State.SUCCEEDED, 1.0, 0.5, 1)
        at_once = TaskChanged(2, "2", "f", "cpu", State.QUEUED, State.FAILED, 1.0, 0.5, 1)
        kept.history.on_commit([started, then, at_once])
        kept.pass_seconds(10)
        await eventually(lambda: bool(kept.kept()))
        ((flow,),) = (stretch.flows for stretch in kept.kept())
        assert (flow.submitted, flow.succeeded, flow.failed) == (0, 1, 1)
        assert flow.wait.endswith(":2")
        assert flow.run.endswith(":2")

"""Claims that ran ahead of slots which did not come free are given back, and tasks queue again."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.claimed import Claimed, Entry
from pooldeck_server.runtime.tasks.give_back import GiveBack
from pooldeck_server.runtime.tasks.prefetch import LONGEST_WAIT, PATIENCE, Prefetch
from tests.support.engine import call, engine, eventually, outcome, submit
from tests.support.stored import opened

WAITING = 40
QUICK = 0.0005  # seconds
POOLS = {
    "cpu": {"kind": "process", "size": 2, "spare": 0},
    "io": {"kind": "thread", "size": 2},
}
BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])


class Claims:
    """What the store knows of claims, and how many it was told to take back."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "pooldeck.sqlite3"
        self._ask(
            "CREATE TABLE given_back (seq INTEGER)",
            "CREATE TRIGGER counting AFTER UPDATE OF claimed ON tasks "
            "WHEN old.claimed AND NOT new.claimed AND new.state = 'queued' "
            "BEGIN INSERT INTO given_back VALUES (new.seq); END",
        )

    def of_waiting(self) -> int:
        found: int = self._ask("SELECT count(*) FROM tasks WHERE claimed AND state = 'queued'")
        return found

    def attempts_of_waiting(self) -> int:
        found: int = self._ask("SELECT coalesce(sum(attempt), 0) FROM tasks WHERE state = 'queued'")
        return found

    def given_back(self) -> int:
        found: int = self._ask("SELECT count(*) FROM given_back")
        return found

    def _ask(self, *statements: str) -> int:
        with closing(sqlite3.connect(self._path, timeout=60)) as database, database:
            found = [database.execute(statement).fetchall() for statement in statements]
        return found[-1][0][0] if found[-1] else 0


class Stuck:
    """A pool whose slots are kept by functions that were quick before, and others behind them."""

    def __init__(self, server: Server, folder: Path, pool: str) -> None:
        self.server = server
        self.pool = pool
        self.claims = Claims(folder / "data")
        self.notes = folder / "notes"
        self.gates = [folder / f"gate-{n}" for n in range(2)]
        self.open = folder / "open"

    async def fill(self) -> list[str]:
        """Return those that wait behind two that take long; claims of them have run ahead."""
        self.open.touch()
        await self._learn("wait_for", str(self.open))
        await self._learn("note", str(self.notes), "before")
        behind = [
            call("note", str(self.notes), str(n), pool=self.pool, priority=n % 2)
            for n in range(WAITING)
        ]
        for gate in self.gates:
            await self._submit("wait_for", str(gate))
        return await self.server.intake.submit_batch(behind)

    async def _learn(self, function: str, *args: object) -> None:
        """Let the server know that a function is quick."""
        durations = self.server.health.durations
        while (durations.work(f"runtime_functions.{function}") or 1.0) > QUICK:
            await outcome(self.server, await self._submit(function, *args))

    async def _submit(self, function: str, *args: object) -> str:
        return await submit(self.server, function, *args, pool=self.pool)

    async def when_given_back(self) -> None:
        """Return when both take long, and nothing behind them is claimed."""
        await eventually(lambda: self.server.frames.latest().counts[State.RUNNING] == 2)
        await eventually(lambda: self.claims.given_back() > 0 and self.claims.of_waiting() == 0)

    def noted(self) -> list[int]:
        words = self.notes.read_text().split()
        return [int(word) for word in words if word != "before"]


async def stuck(server: Server, folder: Path, pool: str) -> tuple[Stuck, list[str]]:
    """Return a pool both of whose slots are kept, and what waits in it, none of it claimed."""
    found = Stuck(server, folder, pool)
    waiting = await found.fill()
    await found.when_given_back()
    return found, waiting


@BOTH
async def test_what_waits_behind_long_calls_of_quick_functions_queues_as_it_did(
    tmp_path: Path, pool: str
) -> None:
    async with engine(tmp_path / "data", pools=POOLS) as server:
        stood, waiting = await stuck(server, tmp_path, pool)
        assert stood.claims.attempts_of_waiting() == 0
        assert server.health.pool(pool).queued == WAITING
        cancelled = waiting.pop()
        assert (await server.tasks.cancel(cancelled)).outcome == "cancelled"
        await server.pools.resize(pool, 3)
        ended = [await outcome(server, each) for each in waiting]
        assert {(task.state, task.attempt) for task in ended} == {(State.SUCCEEDED, 1)}
        assert server.frames.latest().counts[State.RUNNING] == 2
        first = [n for n in range(WAITING - 1) if n % 2]  # those of the higher priority
        assert stood.noted() == [*first, *range(0, WAITING - 1, 2)]
        for gate in stood.gates:
            gate.touch()


@BOTH
async def test_what_was_given_back_is_not_claimed_again_for_the_same_slots(
    tmp_path: Path, pool: str
) -> None:
    async with engine(tmp_path / "data", pools=POOLS) as server:
        stood, _ = await stuck(server, tmp_path, pool)
        before = stood.claims.given_back()
        for n in range(10):
            await submit(server, "note", str(stood.notes), str(WAITING + n), pool=pool)
        other = "io" if pool == "cpu" else "cpu"
        await outcome(server, await submit(server, "sleep", 1.0, pool=other))  # many looks long
        assert stood.claims.of_waiting() == 0
        assert stood.claims.given_back() == before
        stood.gates[0].touch()
        await eventually(lambda: server.health.pool(pool).queued == 0)
        assert sorted(stood.noted()) == [*range(WAITING + 10)]
        stood.gates[1].touch()


async def test_what_was_given_back_waits_when_its_pool_is_paused(tmp_path: Path) -> None:
    async with engine(tmp_path / "data", pools=POOLS) as server:
        stood, waiting = await stuck(server, tmp_path, "cpu")
        running = server.queues["cpu"].running  # what a worker has behind a call, it gives back
        await eventually(lambda: len([*running.seqs()]) == 2)
        await server.pools.pause("cpu")
        ran_before = stood.noted()
        for gate in stood.gates:
            gate.touch()
        await eventually(lambda: server.health.pool("cpu").busy == 0)
        assert stood.noted() == ran_before
        await server.pools.resume("cpu")
        assert (await outcome(server, waiting[-1])).attempt == 1


class Given:
    """Claims that wait, at a moment of a clock that stands still, and what becomes of them."""

    def __init__(self, recorder: Recorder, waited: float) -> None:
        self.back: list[int] = []
        self.claimed, self.prefetch, clock = Claimed(), Prefetch(), ManualClock()
        task = QueuedTask(1, "a", "f", "cpu", 0, 1, "[]", "{}")
        self.claimed.add(Entry(task, QUICK, clock.monotonic() - waited))
        self.before = self.prefetch.most(2)
        self.work = GiveBack(
            pool="cpu",
            claimed=self.claimed,
            prefetch=self.prefetch,
            recorder=recorder,
            clock=clock,
            slots=lambda: 2,
            offer=lambda task: self.back.append(task.seq),
            take_back=lambda _: None,
            on_queued=lambda: None,
        )


@pytest.mark.parametrize(
    ("waited", "cuts", "back"),
    [
        (0.4 * LONGEST_WAIT, False, []),
        (0.7 * LONGEST_WAIT, True, []),
        (1.1 * LONGEST_WAIT, True, [1]),
    ],
)
async def test_claims_that_wait_for_long_are_made_less_far_ahead_before_they_are_given_back(
    tmp_path: Path, waited: float, *, cuts: bool, back: list[int]
) -> None:
    with opened(tmp_path) as store:
        recorder = Recorder(store.database, 10)
        recorder.start()
        given = Given(recorder, waited)
        given.work.watch()
        await asyncio.sleep(1.5 * PATIENCE)
        assert (given.prefetch.most(2) < given.before) is cuts
        await given.work.settled([1])
        assert given.back == back
        await given.work.finish()
        await recorder.stop()

"""Functions are moved by measurements where their owners vouch for it; what fails comes back."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec import Raw

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import engine, eventually, outcome

MODULE: Final = "moved_functions"
MODULES: Final = (MODULE,)
POOLS: Final = {
    "cpu": {"kind": "process", "size": 2},
    "io": {"kind": "thread", "size": 8},
}
UNSAFE_IN_THREADS: Final = ("packs", "labels", "prints", "files", "rings")
BATCH: Final = 8
BOUND: Final = 120.0  # seconds until measurements have moved what they may
HOURS: Final = 3600.0


async def run(server: Server, function: str, *orders: str) -> list[StoredTask]:
    """Run a function once for each order, all at a time as far as its pool can."""
    calls = [
        Submission(function=f"{MODULE}.{function}", args=Raw(msgspec.json.encode([order])))
        for order in orders
    ]
    return [await outcome(server, task_id) for task_id in await server.intake.submit_batch(calls)]


async def batch(server: Server, function: str) -> list[StoredTask]:
    return await run(server, function, *map(str, range(BATCH)))


def placement(server: Server, function: str) -> Placement:
    found = server.catalogue.get(f"{MODULE}.{function}").placement
    assert found is not None
    return found


def is_sure(server: Server, function: str) -> bool:
    """Tell whether an advice against the place of a function is sure enough to be followed."""
    advice = server.advisor.of(f"{MODULE}.{function}")
    return advice is not None and advice.is_misplaced and advice.confidence in {"medium", "high"}


async def place(server: Server, function: str, pool: str | None) -> None:
    await server.placements.place(f"{MODULE}.{function}", pool)


async def undone(server: Server, function: str) -> Placement:
    """Return where a function is once its move was undone."""
    await eventually(lambda: placement(server, function).rule is PlacementRule.UNDONE)
    return placement(server, function)


async def marks(server: Server, function: str, number: int) -> list[StoredAnnotation]:
    """Return what the charts mark of a function, once that is so much: it is written behind."""
    name, found = f"{MODULE}.{function}", list[StoredAnnotation]()
    async with asyncio.timeout(BOUND):
        while len(found) < number:
            kept = await server.read(queries.annotations)
            found = [each for each in kept if each.subject == name]
    return found


def notices(server: Server) -> list[Notice]:
    return [each for each in server.frames.latest().notices if each.need is Need.UNDONE]


async def test_only_what_its_owner_vouches_for_is_moved(tmp_path: Path) -> None:
    clock = ManualClock()
    stay = (*UNSAFE_IN_THREADS, "tickets")
    async with engine(tmp_path, clock, pools=POOLS, functions=MODULES) as server:
        until, numbers = time.monotonic() + BOUND, list[str | None]()
        while time.monotonic() < until:
            for function in UNSAFE_IN_THREADS:
                ran = await batch(server, function)
                assert {task.pool for task in ran} == {"cpu"}
                assert [task.result for task in ran] == [f'"{n}"' for n in range(BATCH)], function
            ran = await batch(server, "tickets")
            assert {task.pool for task in ran} == {"io"}
            numbers += [task.result for task in ran]
            await asyncio.gather(batch(server, "naps"), batch(server, "sums"))
            clock.advance(6)
            moved = {placement(server, each).rule for each in ("naps", "sums")}
            if moved == {PlacementRule.MEASURED} and all(is_sure(server, each) for each in stay):
                break
        assert len({(number or "").partition("-")[2] for number in numbers}) == len(numbers)
        naps, sums = placement(server, "naps"), placement(server, "sums")
        assert (naps.pool, naps.before, naps.verdict, naps.moves) == ("io", "cpu", "io_bound", 1)
        assert (sums.pool, sums.before, sums.rule) == ("cpu", "io", PlacementRule.MEASURED)
        assert [placement(server, each).since for each in stay] == [None] * len(stay)
        (task,) = await run(server, "naps", "now")
        assert (task.pool, task.placed) == ("io", naps.to_json())
        (mark,) = await marks(server, "naps", 1)
        assert (mark.pool, mark.data) == ("io", {"before": "cpu", "verdict": "io_bound"})
    async with engine(tmp_path, clock, pools=POOLS, functions=MODULES) as server:
        assert placement(server, "naps") == naps


async def test_a_false_word_is_found_out_by_the_first_failure_and_not_believed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    async with engine(tmp_path, clock, pools=POOLS, functions=MODULES) as server:
        until, failed = time.monotonic() + BOUND, list[StoredTask]()
        while not failed and time.monotonic() < until:
            ran = await batch(server, "promises")
            failed = [task for task in ran if task.state is State.FAILED]
            clock.advance(6)
        found = await undone(server, "promises")
        assert (found.pool, found.before, found.moves) == ("cpu", "io", 1)
        assert "signal only works in main thread" in (found.error or "")
        assert found.task in {task.id for task in failed}
        assert found.group == failed[0].error_group
        line = next(each for each in caplog.messages if "goes back from io to cpu" in each)
        assert f"{MODULE}.promises" in line

        await eventually(lambda: len(notices(server)) == 1)
        (notice,) = notices(server)
        assert (notice.function, notice.pool, notice.target) == (f"{MODULE}.promises", "cpu", "io")
        back, there = await marks(server, "promises", 2)
        assert (there.pool, back.pool) == ("io", "cpu")
        assert back.data == {"before": "io", "undone": found.error}

        until = time.monotonic() + 5  # within which it was moved at first
        while time.monotonic() < until or not is_sure(server, "promises"):
            clock.advance(HOURS)
            assert {task.state for task in await batch(server, "promises")} == {State.SUCCEEDED}
        assert placement(server, "promises") == found
        assert server.advisor.misplaced()
        assert server.advisor.undecided() == ()  # it was tried
    async with engine(tmp_path, clock, pools=POOLS, functions=MODULES) as server:
        assert placement(server, "promises") == found
        await eventually(lambda: len(notices(server)) == 1)
        await place(server, "promises", "cpu")  # somebody has seen it
        await eventually(lambda: notices(server) == [])


async def test_what_a_person_placed_goes_back_too_until_they_insist(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS, functions=MODULES) as server:
        await place(server, "rings", "io")
        moved = placement(server, "rings")
        await run(server, "rings", "a")
        found = await undone(server, "rings")
        assert (found.pool, found.before) == ("cpu", "io")
        (task,) = await run(server, "rings", "b")
        assert (task.pool, task.state) == ("cpu", State.SUCCEEDED)

        await place(server, "insists", "io")  # an attempt that is followed by another counts
        await server.intake.submit(
            Submission(function=f"{MODULE}.insists", args=Raw(b'["a"]')), None
        )
        assert (await undone(server, "insists")).pool == "cpu"

    with closing(sqlite3.connect(tmp_path / "pooldeck.sqlite3")) as database, database:
        row = (moved.to_json(), f"{MODULE}.rings")  # as a server leaves it that dies in between
        database.execute("UPDATE placements SET reason = ? WHERE function = ?", row)
    async with engine(tmp_path, pools=POOLS, functions=MODULES) as server:
        assert placement(server, "rings").rule is PlacementRule.UNDONE
        await place(server, "rings", "io")
        (task,) = await run(server, "rings", "c")
        assert (task.pool, task.state) == ("io", State.FAILED)
        await run(server, "breaks", "")  # what is judged after it, has been judged
        assert placement(server, "rings").rule is PlacementRule.BY_HAND
        await place(server, "rings", None)
        assert placement(server, "rings") == Placement("cpu", PlacementRule.PLAIN)


async def test_a_failure_that_is_not_due_to_the_move_undoes_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    async with engine(tmp_path, clock, pools=POOLS, functions=MODULES) as server:
        await run(server, "breaks", "known")
        await place(server, "breaks", "io")
        await run(server, "breaks", "known", "")
        clock.advance(25 * HOURS)
        await run(server, "breaks", "known", "late")
        assert placement(server, "breaks").rule is PlacementRule.BY_HAND

        await place(server, "breaks", "cpu")
        await run(server, "breaks", "")
        clock.advance(23 * HOURS)
        await run(server, "breaks", "unheard of")
        assert (await undone(server, "breaks")).pool == "io"


async def test_a_word_counts_for_nothing_where_the_pool_is_named(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS, functions=MODULES) as server:
        assert server.catalogue.get(f"{MODULE}.settled").placement is None
        assert not server.catalogue.is_vouched_for(f"{MODULE}.settled", "io")
        assert server.catalogue.is_vouched_for(f"{MODULE}.naps", "io")
        assert not server.catalogue.is_vouched_for(f"{MODULE}.tickets", "cpu")

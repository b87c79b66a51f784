"""What the live picture says of pools, workers and slots."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from pooldeck.kinds import Ending
from pooldeck_server.domain.notices import Need
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from tests.support.engine import BOUND, engine, eventually, outcome, submit


def slots(server: Server, pool: str) -> list[SlotHealth]:
    return [
        slot
        for worker in server.health.pool(pool).workers
        for slot in worker.slots
        if slot.task is not None
    ]


def needs(server: Server, pool: str) -> list[Need]:
    return [notice.need for notice in server.health.pool(pool).notices]


@pytest.mark.parametrize("pool", ["cpu", "io"])
async def test_a_slot_says_how_long_it_may_run_and_whether_it_was_asked_to_stop(
    tmp_path: Path, pool: str
) -> None:
    gate = tmp_path / "gate"

    async with engine(tmp_path / "data") as server:
        task = await submit(server, "wait_for", str(gate), pool=pool, timeout=500)
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
        (slot,) = slots(server, pool)
        assert (slot.task, slot.timeout, slot.cancel_requested) == (task, 500, False)
        await server.tasks.cancel(task)
        assert slots(server, pool)[0].cancel_requested
        gate.write_text("open")


@pytest.mark.parametrize(
    ("pool", "ending"), [("cpu", Ending.WORKER_ENDED), ("io", Ending.ABANDONED)]
)
async def test_a_slot_says_how_its_task_ends_if_it_is_killed(
    tmp_path: Path, pool: str, ending: Ending
) -> None:
    gate = tmp_path / "gate"

    async with engine(tmp_path / "data") as server:
        task = await submit(server, "wait_for", str(gate), pool=pool)
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
        assert slots(server, pool)[0].if_killed is ending
        assert (await server.tasks.cancel(task, kill=True)).ending is ending
        assert {slot.if_killed for slot in slots(server, pool)} <= {None}
        gate.write_text("open")


async def test_what_runs_in_a_pool_that_has_become_smaller_is_shown_to_the_last(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"

    async with engine(tmp_path / "data") as server:
        tasks = [await submit(server, "wait_for", str(gate), pool="io") for _ in range(3)]
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 3)
        health = await server.pools.resize("io", 1)
        assert {slot.task for slot in health.workers[0].slots} == set(tasks)
        gate.write_text("open")
        await eventually(lambda: server.health.pool("io").workers[0].slots == (SlotHealth(),))


async def test_an_abandoned_thread_is_listed_behind_the_slots_and_noticed(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async with engine(tmp_path / "data") as server:
        task = await submit(server, "wait_for", str(gate), pool="io")
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
        await server.tasks.cancel(task, kill=True)
        await eventually(lambda: any(slot.abandoned for slot in slots(server, "io")))
        health = server.health.pool("io")
        assert [slot.abandoned for slot in health.workers[0].slots] == [False] * 4 + [True]
        assert health.busy == 0
        assert needs(server, "io") == [Need.ABANDONED]
        gate.write_text("open")
        await eventually(lambda: needs(server, "io") == [])


async def test_a_process_pool_shows_its_spare_worker(tmp_path: Path) -> None:
    async with engine(tmp_path, pools={"cpu": {"kind": "process", "size": 1}}) as server:
        await outcome(server, await submit(server, "add", 1, 2, pool="cpu"))
        await eventually(lambda: server.health.pool("cpu").spare == 1)
        assert server.health.pool("cpu").size == 1
        assert [worker.slots for worker in server.health.pool("cpu").workers].count(()) == 1


async def test_incidents_are_counted_over_restarts(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await outcome(server, await submit(server, "leave", 1, pool="cpu"))
        assert server.health.pool("cpu").incidents == 1
    async with engine(tmp_path) as server:
        assert server.health.pool("cpu").incidents == 1
        assert server.health.pool("cpu").dead == ()


def test_a_function_on_hold_is_noticed_in_its_pool(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, hold_after=1) as server:
            await outcome(server, await submit(server, "leave", 1, pool="cpu"))
            (notice,) = server.health.pool("cpu").notices
            assert (notice.need, notice.function) == (Need.HOLD, "runtime_functions.leave")
            assert needs(server, "io") == []

    asyncio.run(asyncio.wait_for(story(), BOUND))


def test_a_dead_worker_is_shown_with_its_cause_and_its_successor_has_its_place(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with engine(tmp_path, pools={"cpu": {"kind": "process", "size": 2}}) as server:
            await outcome(server, await submit(server, "add", 1, 2, pool="cpu"))
            await eventually(lambda: server.health.pool("cpu").spare == 1)
            first, second, spare = (worker.id for worker in server.health.pool("cpu").workers)
            task = await outcome(server, await submit(server, "leave", 3, pool="cpu"))
            await eventually(lambda: server.health.pool("cpu").restarts == 1)
            health = server.health.pool("cpu")
            (dead,) = health.dead
            assert (dead.id, dead.cause) == (task.worker, "exited with code 3")
            assert dead.function == "runtime_functions.leave"
            was = [first, second].index(dead.id)
            successor = health.workers[was]
            assert (successor.id, successor.restarts, successor.replaced) == (spare, 1, dead.id)
            assert health.workers[1 - was].restarts == 0

    asyncio.run(asyncio.wait_for(story(), BOUND))


def test_another_size_is_no_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, pools={"cpu": {"kind": "process", "size": 3}}) as server:
            await server.pools.resize("cpu", 1)
            await eventually(lambda: _ready(server) == 1)
            await server.pools.resize("cpu", 3)
            await eventually(lambda: _ready(server) == 3)
            assert server.health.pool("cpu").restarts == 0

    asyncio.run(asyncio.wait_for(story(), BOUND))


def _ready(server: Server) -> int:
    return sum(worker.state in {"idle", "busy"} for worker in server.health.pool("cpu").workers)


def test_a_restart_replaces_every_worker(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, pools={"cpu": {"kind": "process", "size": 2}}) as server:
            await eventually(lambda: _ready(server) == 2)
            await server.pools.restart("cpu")
            await eventually(lambda: server.health.pool("cpu").restarts == 2)
            assert server.health.pool("cpu").dead == ()

    asyncio.run(asyncio.wait_for(story(), BOUND))


def test_a_slot_says_how_much_is_done_and_whether_it_takes_longer_than_usual(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"

    async def story() -> None:
        gate.write_text("open")
        async with engine(tmp_path / "data") as server:
            for _ in range(5):
                await outcome(server, await submit(server, "wait_for", str(gate), pool="io"))
        gate.unlink()
        async with engine(tmp_path / "data") as server:  # what is usual survives a restart
            await submit(server, "wait_for", str(gate), pool="io")
            await eventually(lambda: any(slot.usual_p95 for slot in slots(server, "io")))
            await eventually(lambda: any(slot.is_late for slot in slots(server, "io")))
            (slot,) = slots(server, "io")
            assert slot.elapsed is not None
            assert 0 < (slot.usual_p50 or 0) <= (slot.usual_p95 or 0) < slot.elapsed - 1
            gate.write_text("open")

    asyncio.run(asyncio.wait_for(story(), BOUND))


def test_a_slot_says_how_much_of_its_task_is_done(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def story() -> None:
        async with engine(tmp_path / "data") as server:
            await submit(server, "half", str(gate), pool="io")
            await eventually(lambda: [slot.fraction for slot in slots(server, "io")] == [0.5])
            gate.write_text("open")

    asyncio.run(asyncio.wait_for(story(), BOUND))


def test_a_commit_that_waits_for_another_program_is_noticed(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path) as server:
            other = sqlite3.connect(tmp_path / "pooldeck.sqlite3", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            submitting = asyncio.create_task(submit(server, "add", 1, 2))
            await eventually(
                lambda: [each.need for each in server.frames.latest().notices] == [Need.SLOW_WRITES]
            )
            other.execute("ROLLBACK")
            other.close()
            await submitting

    asyncio.run(asyncio.wait_for(story(), BOUND))

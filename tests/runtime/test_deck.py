"""What the live picture says of pools, workers and slots."""

import asyncio
from pathlib import Path

import pytest
from engine import BOUND, engine, eventually, outcome, submit

from app.domain.health import SlotHealth
from app.domain.states import State
from app.runtime.service import Service


def slots(service: Service, pool: str) -> list[SlotHealth]:
    return [
        slot
        for worker in service.pool(pool).workers
        for slot in worker.slots
        if slot.task is not None
    ]


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_a_slot_says_how_long_it_may_run_and_whether_it_was_asked_to_stop(
    tmp_path: Path, pool: str
) -> None:
    gate = tmp_path / "gate"

    async def story() -> None:
        async with engine(tmp_path / "data") as service:
            task = await submit(service, "wait_for", str(gate), pool=pool, timeout=500)
            await eventually(lambda: service.feed.latest().counts[State.RUNNING] == 1)
            (slot,) = slots(service, pool)
            assert (slot.task, slot.timeout, slot.cancel_requested) == (task, 500, False)
            await service.cancel(task)
            assert slots(service, pool)[0].cancel_requested
            gate.write_text("open")

    asyncio.run(story())


def test_an_abandoned_thread_is_listed_behind_the_slots_and_noticed(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def story() -> None:
        async with engine(tmp_path / "data") as service:
            task = await submit(service, "wait_for", str(gate), pool="io")
            await eventually(lambda: service.feed.latest().counts[State.RUNNING] == 1)
            await service.cancel(task, kill=True)
            await eventually(lambda: any(slot.abandoned for slot in slots(service, "io")))
            health = service.pool("io")
            assert [slot.abandoned for slot in health.workers[0].slots] == [False] * 4 + [True]
            assert health.busy == 0
            assert "1 abandoned thread" in (health.notice or "")
            gate.write_text("open")
            await eventually(lambda: service.pool("io").notice is None)

    asyncio.run(story())


def test_a_process_pool_shows_its_spare_worker(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path) as service:
            await eventually(lambda: service.pool("cpu").spare == 1)
            assert service.pool("cpu").size == 1
            assert [worker.slots for worker in service.pool("cpu").workers].count(()) == 1

    asyncio.run(story())


def test_incidents_are_counted_over_restarts(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path) as service:
            await outcome(service, await submit(service, "leave", 1, pool="cpu"))
            assert service.pool("cpu").incidents == 1
        async with engine(tmp_path) as service:
            assert service.pool("cpu").incidents == 1

    asyncio.run(story())


def test_a_function_on_hold_is_noticed_in_its_pool(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path, hold_after=1) as service:
            await outcome(service, await submit(service, "leave", 1, pool="cpu"))
            notice = service.pool("cpu").notice
            assert notice is not None
            assert notice.startswith("tasks of runtime_functions.leave wait")
            assert service.pool("io").notice is None

    asyncio.run(asyncio.wait_for(story(), BOUND))

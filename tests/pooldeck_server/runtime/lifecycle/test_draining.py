"""How the pools end when the server is told to."""

import asyncio
import time
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import Draining
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.runtime.server import Server
from tests.support.engine import BOUND, call, engine, eventually, settings, submit

LONG = 600.0


async def started(server: Server, gate: Path) -> list[str]:
    """Start a task in each pool that waits for a file."""
    ids = [await submit(server, "wait_for", str(gate), pool=pool) for pool in ("cpu", "io")]
    await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 2)
    return ids


async def test_what_runs_may_end_within_the_grace_period_and_who_waits_for_it_is_told(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    ending = Ending(LONG)

    async with engine(tmp_path / "data", ending=ending) as server:
        ids = await started(server, gate)
        known = [await server.tasks.get(task) for task in ids]
        waits = [asyncio.create_task(server.wait(task.id, BOUND, task)) for task in known]
        await asyncio.sleep(0)
        ending.begin()
        await eventually(lambda: server.readiness == "draining")
        with pytest.raises(Draining):
            await server.intake.submit(call("add", 1, 2))
        gate.write_text("open")
        for wait in waits:
            assert (await wait).state is State.SUCCEEDED
        await asyncio.wait_for(ending.finished.wait(), BOUND)


async def test_who_hurries_waits_for_nothing_and_everything_is_recorded(tmp_path: Path) -> None:
    ending = Ending(LONG)

    async with engine(tmp_path / "data", ending=ending) as server:
        ids = await started(server, tmp_path / "never")
        queued = await submit(server, "add", 1, 2, pool="cpu")
        ending.begin()
        ending.hurry()
        await asyncio.wait_for(ending.finished.wait(), BOUND)
        await eventually(lambda: server.frames.latest().counts[State.LOST] == len(ids))
        for task in ids:
            assert (await server.tasks.get(task)).state is State.LOST
        assert (await server.tasks.get(queued)).state is State.QUEUED


async def test_the_grace_period_is_not_waited_out_where_nothing_runs(tmp_path: Path) -> None:
    async with engine(tmp_path, ending=Ending(LONG)):
        began = time.monotonic()
    assert time.monotonic() - began < BOUND


async def test_a_server_that_is_told_to_end_while_it_starts_starts_and_ends(tmp_path: Path) -> None:
    ending = Ending(LONG)
    ending.begin()
    async with running(settings(tmp_path), ending=ending) as server:
        await asyncio.wait_for(ending.finished.wait(), BOUND)
        assert server.readiness == "draining"
        assert all(not pool.workers for pool in server.health.all())

"""The drain of the whole server: nothing new, what runs goes on, and then an end or a resume."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pooldeck_server.domain.actions import ActionFilter, Deed
from pooldeck_server.domain.errors import Conflict, Draining
from pooldeck_server.domain.notices import Need
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import BOUND, call, engine, eventually, submit

LONG = 600.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with engine(tmp_path / "data", ending=Ending(LONG)) as running:
        yield running


async def started(server: Server, gate: Path) -> str:
    task = await submit(server, "wait_for", str(gate), pool="cpu")
    await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
    return task


def needs(server: Server) -> dict[Need, int]:
    server.frames.changes.invalidate()
    return {notice.need: notice.number for notice in server.frames.latest().notices}


async def test_nothing_new_is_taken_and_what_waits_runs_when_it_is_resumed(
    server: Server, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.write_text("open")
    for _ in range(5):  # so that it is known how long it usually takes
        await server.wait(await submit(server, "wait_for", str(gate), pool="cpu"), BOUND)
    gate.unlink()
    running = await started(server, gate)
    waiting = [await submit(server, "add", 1, n, pool="cpu") for n in range(3)]

    progress = server.drain.begin("ada", "new disk", seconds=60)

    assert (progress.running, progress.queued, progress.is_done) == (1, 0, False)
    assert progress.about is not None
    assert server.readiness == "draining"
    with pytest.raises(Draining, match="ada"):
        await server.intake.submit(call("add", 1, 2))
    with pytest.raises(Draining):
        await server.tasks.retry(running)
    assert needs(server)[Need.SERVER_DRAIN] == 1
    gate.write_text("open")
    assert (await server.wait(running, BOUND)).state is State.SUCCEEDED
    await eventually(lambda: server.drain.progress() is not None and not any_work(server))
    for task in waiting:  # no claim is left on them: another server could run them
        found = await server.tasks.get(task)
        assert (found.state, found.attempt) == (State.QUEUED, 0)
    done = server.drain.progress()
    assert done is not None
    assert done.is_done
    server.drain.resume("bob")
    assert Need.SERVER_DRAIN not in needs(server)
    for task in waiting:
        assert (await server.wait(task, BOUND)).state is State.SUCCEEDED
    with pytest.raises(Conflict):
        server.drain.resume("bob")


def any_work(server: Server) -> bool:
    return any(queue.has_work for queue in server.queues.values())


async def test_with_a_stop_it_ends_when_what_is_queued_has_run_if_that_is_asked_for(
    tmp_path: Path,
) -> None:
    gate, ending = tmp_path / "gate", Ending(LONG)
    async with engine(tmp_path / "data", ending=ending) as server:
        running = await started(server, gate)
        waiting = await submit(server, "add", 1, 2, pool="cpu")
        progress = server.drain.begin("ada", "disk", seconds=500, stops=True, finishes_queue=True)
        assert (progress.running, progress.queued, progress.about) == (1, 1, None)
        server.drain.step()
        assert not ending.begun.is_set()
        gate.write_text("open")
        await asyncio.wait_for(ending.finished.wait(), BOUND)
        for task in (running, waiting):
            assert (await server.tasks.get(task)).state is State.SUCCEEDED
        assert ending.cut_off is not None
        assert ending.cut_off.drained == server.drain.drained
        with pytest.raises(Draining):
            server.drain.resume("ada")
        (drained,) = (await server.read(queries.actions, ActionFilter(deeds=(Deed.DRAIN,)))).items
        assert drained.after == {"stop": True, "seconds": 500, "finish_queue": True}
        assert drained.reason == "disk"


async def test_with_a_stop_nothing_is_waited_for_when_its_time_is_over(tmp_path: Path) -> None:
    ending = Ending(LONG)
    async with engine(tmp_path / "data", ending=ending) as server:
        task = await started(server, tmp_path / "never")
        server.drain.begin("ada", stops=True, seconds=0.2)
        await asyncio.wait_for(ending.finished.wait(), BOUND)

        def is_lost() -> bool:
            found = server.reader.call(queries.task, task)
            return found is not None and found.state is State.LOST

        await eventually(is_lost)  # its end is written a moment later

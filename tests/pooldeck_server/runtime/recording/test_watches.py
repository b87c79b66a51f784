"""What watches promise at the edges: nothing is missed, and what is over is forgotten."""

import asyncio
from contextlib import ExitStack, aclosing
from pathlib import Path

import pytest

from pooldeck_server.domain.access import ANYBODY, Principal, Role
from pooldeck_server.domain.errors import QueueFull, TooManyStreams
from pooldeck_server.domain.tasks.ends import TaskEnd
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.recording.watch import Watch
from tests.support.engine import BOUND, call, engine, eventually, outcome, submit


async def ends_of(watch: Watch, number: int) -> list[TaskEnd]:
    """Return the next ends that a watch tells."""
    found: list[TaskEnd] = []
    async with asyncio.timeout(BOUND), aclosing(watch.news()) as told:
        async for news in told:
            found += news.ends
            if len(found) >= number:
                break
    return found


async def rest_of(watch: Watch) -> list[TaskEnd]:
    """Return what a watch tells until it is over."""
    async with asyncio.timeout(BOUND), aclosing(watch.news()) as told:
        return [end async for news in told for end in news.ends]


async def test_a_task_that_runs_again_before_its_end_is_told_is_told_at_its_next_end(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    async with engine(tmp_path) as server:
        task = await submit(server, "wait_for", str(gate), pool="io")
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
        with server.watches.open(ANYBODY, [task], tells_starts=False) as watch:
            await server.tasks.cancel(task, kill=True)
            await outcome(server, task)
            await server.tasks.retry(task)
            gate.touch()
            assert (await outcome(server, task)).state is State.SUCCEEDED
            (end,) = await ends_of(watch, 1)
            assert (end.state, end.attempt) == (State.SUCCEEDED, 2)


async def test_ends_before_the_first_look_are_told_as_well(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        with server.watches.open(ANYBODY, [], tells_starts=False) as watch:
            calls = [call("add", n, n) for n in range(300)]
            ids = await server.intake.submit_batch(calls, watch=watch)
            for each in ids:
                await outcome(server, each)
            ends = await ends_of(watch, len(ids))
            assert {end.id: end.result for end in ends} == {
                each: str(2 * n) for n, each in enumerate(ids)
            }
            assert len(watch) == 0


async def test_what_could_not_be_stored_is_not_watched(tmp_path: Path) -> None:
    pools = {"io": {"kind": "thread", "size": 1, "queue_limit": 2}}
    async with engine(tmp_path, pools=pools) as server:
        with server.watches.open(ANYBODY, [], tells_starts=False) as watch:
            with pytest.raises(QueueFull):
                await server.intake.submit_batch(
                    [call("add", n, n, pool="io") for n in range(10)], watch=watch
                )
            assert len(watch) == 0
        assert not watch.is_read
        assert len(server.watches) == server.watches.tasks == 0


async def test_who_tells_nothing_more_has_told_what_had_happened(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        with server.watches.open(ANYBODY, [], tells_starts=False) as watch:
            telling = asyncio.create_task(rest_of(watch))
            ids = await server.intake.submit_batch(
                [call("add", n, n) for n in range(50)], watch=watch
            )
            await asyncio.gather(*(outcome(server, each) for each in ids))
            await server.watches.close(BOUND)
            assert {end.id for end in await telling} == set(ids)
        with server.watches.open(ANYBODY, ids, tells_starts=False) as late:
            assert {end.id for end in await rest_of(late)} == set(ids)


async def test_nobody_but_the_owner_can_take_the_watches_of_all_others(tmp_path: Path) -> None:
    reader = Principal(name="a reader", role=Role.VIEWER)
    async with engine(tmp_path, limits={"watches": 8}) as server:
        with ExitStack() as opened:
            for _ in range(2):
                opened.enter_context(server.watches.open(reader, [], tells_starts=False))
            with (
                pytest.raises(TooManyStreams, match="a reader may have 2 watches"),
                server.watches.open(reader, [], tells_starts=False),
            ):
                pass
            for _ in range(6):
                opened.enter_context(server.watches.open(ANYBODY, [], tells_starts=False))

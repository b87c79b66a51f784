"""The streams of frames: each ends with the frames, whenever that is."""

import asyncio
from collections.abc import Callable

import pytest

from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.live.frames import Frames
from pooldeck_server.runtime.tasks.counts import Counts

BOUND = 120.0  # seconds


def frames_of(pools: Callable[[], tuple[PoolHealth, ...]] = tuple) -> Frames:
    clock = SystemClock()
    return Frames(
        clock=clock,
        changes=LiveChanges(),
        counts=Counts(clock),
        pools=pools,
        notices=tuple,
        incidents=lambda: 0,
        streams=10,
    )


@pytest.mark.parametrize("is_just_built", [True, False])
async def test_streams_end_with_the_frames_also_right_after_a_frame(is_just_built: bool) -> None:
    live = frames_of()
    live.start()
    async with live.subscribe() as frames:
        first = await anext(frames)
        if is_just_built:
            live.changes.mark_dirty()
            assert (await anext(frames)).seq > first.seq
        following = asyncio.ensure_future(anext(frames, None))
        await asyncio.sleep(0)  # it waits for the frame after that
        live.close()
        assert await asyncio.wait_for(following, BOUND) is None
    await live.stop()


def test_frames_go_on_after_one_that_could_not_be_built() -> None:
    looks = 0

    def pools() -> tuple[PoolHealth, ...]:
        nonlocal looks
        looks += 1
        if looks == 3:  # the first is of the frames' own making, the second the subscription's
            raise ZeroDivisionError
        return ()

    async def scenario() -> None:
        live = frames_of(pools)
        live.start()
        async with live.subscribe() as frames:
            first = await anext(frames)
            live.changes.mark_dirty()
            following = asyncio.ensure_future(anext(frames))
            while not following.done():
                live.changes.mark_dirty()
                await asyncio.wait([following], timeout=0.1)
            assert following.result().seq > first.seq
        await asyncio.wait_for(live.stop(), BOUND)

    asyncio.run(asyncio.wait_for(scenario(), BOUND))
    assert looks > 3

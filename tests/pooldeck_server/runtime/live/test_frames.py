"""The feed's streams: each ends with the feed, whenever that is."""

import asyncio

import pytest

from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.live.frames import Feed
from pooldeck_server.runtime.tasks.counts import Counts

BOUND = 30.0  # seconds


def feed() -> Feed:
    return Feed(SystemClock(), Counts(), tuple, tuple, incidents=lambda: 0, streams=10)


@pytest.mark.parametrize("is_just_built", [True, False])
async def test_streams_end_with_the_feed_also_right_after_a_frame(is_just_built: bool) -> None:
    live = feed()
    live.start()
    async with live.subscribe() as frames:
        first = await anext(frames)
        if is_just_built:
            live.mark_dirty()
            assert (await anext(frames)).seq > first.seq
        following = asyncio.ensure_future(anext(frames, None))
        await asyncio.sleep(0)  # it waits for the frame after that
        live.close_streams()
        assert await asyncio.wait_for(following, BOUND) is None
    await live.stop()


def test_frames_go_on_after_one_that_could_not_be_built() -> None:
    looks = 0

    def pools() -> tuple[PoolHealth, ...]:
        nonlocal looks
        looks += 1
        if looks == 3:  # the first is of the feed's own making, the second the subscription's
            raise ZeroDivisionError
        return ()

    async def scenario() -> None:
        live = Feed(SystemClock(), Counts(), pools, tuple, incidents=lambda: 0, streams=10)
        live.start()
        async with live.subscribe() as frames:
            first = await anext(frames)
            live.mark_dirty()
            following = asyncio.ensure_future(anext(frames))
            while not following.done():
                live.mark_dirty()
                await asyncio.wait([following], timeout=0.1)
            assert following.result().seq > first.seq
        await asyncio.wait_for(live.stop(), BOUND)

    asyncio.run(asyncio.wait_for(scenario(), BOUND))
    assert looks > 3

"""The feed's streams: each ends with the feed, whenever that is."""

import asyncio

import pytest

from app.domain.clock import SystemClock
from app.runtime.picture.feed import Feed
from app.runtime.picture.tally import Tally

BOUND = 30.0  # seconds


def feed() -> Feed:
    return Feed(SystemClock(), Tally(), tuple, tuple, incidents=lambda: 0, streams=10)


@pytest.mark.parametrize("is_just_built", [True, False])
def test_streams_end_with_the_feed_also_right_after_a_frame(is_just_built: bool) -> None:
    async def scenario() -> None:
        live = feed()
        live.start()
        async with live.subscribe() as frames:
            first = await anext(frames)
            if is_just_built:
                live.touch()
                assert (await anext(frames)).seq > first.seq
            following = asyncio.ensure_future(anext(frames, None))
            await asyncio.sleep(0)  # it waits for the frame after that
            live.close_streams()
            assert await asyncio.wait_for(following, BOUND) is None
        await live.stop()

    asyncio.run(scenario())

"""Work that is to go on goes on, whatever goes wrong in it, and the log says what did."""

import asyncio

import pytest

from pooldeck_server.runtime.background import Background, BackgroundTasks

BOUND = 120.0  # seconds


def test_work_that_fails_is_begun_again_and_the_log_has_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        times, goes_on = 0, asyncio.Event()

        async def work() -> None:
            nonlocal times
            times += 1
            if times < 3:
                raise ZeroDivisionError("nobody thought of that")
            goes_on.set()
            await asyncio.Event().wait()

        ongoing = Background("counting", work, pause=0.0)
        ongoing.start()
        await asyncio.wait_for(goes_on.wait(), BOUND)
        await asyncio.wait_for(ongoing.stop(), BOUND)

    asyncio.run(scenario())
    assert caplog.text.count("counting failed") == 2
    assert "nobody thought of that" in caplog.text


def test_work_ends_where_it_is_when_it_is_stopped() -> None:
    async def scenario() -> list[str]:
        said, is_under_way = [], asyncio.Event()

        async def work() -> None:
            is_under_way.set()
            try:
                await asyncio.Event().wait()
            finally:
                said.append("cleared up")

        ongoing = Background("waiting", work)
        ongoing.start()
        await is_under_way.wait()
        await asyncio.wait_for(ongoing.stop(), BOUND)
        return said

    assert asyncio.run(scenario()) == ["cleared up"]


async def test_a_pause_after_a_failure_holds_no_end_up() -> None:
    has_failed = asyncio.Event()

    async def work() -> None:
        has_failed.set()
        raise ZeroDivisionError

    ongoing = Background("failing", work, pause=3600.0)
    ongoing.start()
    await has_failed.wait()
    await asyncio.wait_for(ongoing.stop(), BOUND)


async def test_short_works_are_waited_for_however_they_end() -> None:
    go_on, done = asyncio.Event(), []

    async def work(number: int) -> None:
        await go_on.wait()
        done.append(number)
        if number == 1:
            raise ZeroDivisionError

    tasks = BackgroundTasks()
    for number in range(3):
        tasks.start(work(number))
    go_on.set()
    await asyncio.wait_for(tasks.finish(), BOUND)
    assert done == [0, 1, 2]


async def test_short_works_end_where_they_are_when_they_are_stopped() -> None:
    tasks = BackgroundTasks()
    under_way = tasks.start(asyncio.sleep(3600))
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.stop(), BOUND)
    assert under_way.cancelled()

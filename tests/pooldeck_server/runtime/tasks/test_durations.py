"""How long functions usually take: from the latest runs, until then from the store."""

import asyncio
from collections.abc import Callable

from pooldeck.outcome import Measurement
from pooldeck_server.domain.errors import StorageUnavailable
from pooldeck_server.domain.measurements.figures import Durations, Percentiles
from pooldeck_server.runtime.tasks.durations import RecentDurations

KEPT = Durations(200, None, Percentiles(1.0, 3.0))


def learn(usual: RecentDurations, runs: int, seconds: Callable[[int], float]) -> None:
    for number in range(1, runs + 1):
        usual.add_run("acme.f", Measurement(run=seconds(number), cpu=0.0))


async def knows_nothing(_: str) -> Durations:
    return Durations()


async def knows(_: str) -> Durations:
    return KEPT


async def test_the_spread_is_that_of_the_latest_runs() -> None:
    usual = RecentDurations(knows_nothing)
    learn(usual, 100, float)
    assert usual.spread("acme.f") == Percentiles(50.0, 95.0)
    learn(usual, 200, lambda _: 7.0)
    assert usual.spread("acme.f") == Percentiles(7.0, 7.0)


async def test_a_few_runs_say_nothing_of_what_is_usual() -> None:
    usual = RecentDurations(knows_nothing)
    learn(usual, 4, float)
    assert usual.spread("acme.f") is None
    learn(usual, 1, float)
    assert usual.spread("acme.f") is not None


async def test_until_it_has_run_often_enough_the_store_is_believed() -> None:
    usual = RecentDurations(knows)
    assert usual.spread("acme.f") is None
    await asyncio.sleep(0)
    assert usual.spread("acme.f") == KEPT.run
    learn(usual, 19, lambda _: 9.0)
    assert usual.spread("acme.f") == KEPT.run
    learn(usual, 1, lambda _: 9.0)
    assert usual.spread("acme.f") == Percentiles(9.0, 9.0)


def test_the_store_is_asked_once_for_a_function() -> None:
    asked = []

    async def look_up(function: str) -> Durations:
        asked.append(function)
        return Durations()

    async def story() -> None:
        usual = RecentDurations(look_up)
        for _ in range(3):
            learn(usual, 1, float)
            usual.spread("acme.f")
            await asyncio.sleep(0)

    asyncio.run(story())
    assert asked == ["acme.f"]


async def test_a_store_that_cannot_be_read_is_no_trouble() -> None:
    async def look_up(_: str) -> Durations:
        raise StorageUnavailable("busy")

    usual = RecentDurations(look_up)
    assert usual.spread("acme.f") is None
    await usual.stop()
    assert usual.spread("acme.f") is None

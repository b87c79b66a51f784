"""How many calls of a function run at a time: each moment is divided among those that do."""

import asyncio
from time import perf_counter

import pytest

from pooldeck.outcome import Measurement
from pooldeck.worker.measure.turns import Turns
from tests.support.pooled import eventually, pool

SECONDS = 0.2


def pass_time(seconds: float) -> None:
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


def test_the_parts_of_all_calls_are_the_time_in_which_any_of_them_ran() -> None:
    turns, began = Turns(), perf_counter()
    first = turns.begin()
    begun = perf_counter()
    pass_time(0.01)
    second = turns.begin()
    pass_time(0.02)
    first = turns.end() - first
    pass_time(0.01)
    ended = perf_counter()
    second = turns.end() - second
    over = perf_counter()
    pass_time(0.2)
    third = turns.begin()
    third = turns.end() - third

    assert ended - begun <= first + second <= over - began
    assert min(first, second) > 0.0199  # each has 10 ms of its own, and half of 20
    assert third < 0.2


async def measured(calls: dict[str, str]) -> dict[str, Measurement]:
    """Run calls of functions side by side in threads; return what was measured of each."""
    async with pool("thread", len(calls), modules=("natures",)) as listener:
        for name, function in calls.items():
            listener.call(name, f"natures.{function}", SECONDS)
        await eventually(lambda: listener.has_outcomes(len(calls)))
        found = {name: outcome.measurement for name, outcome in listener.outcomes.items()}
        return {name: each for name, each in found.items() if each is not None}


def test_calls_of_one_function_overlap_and_those_of_another_do_not_count() -> None:
    found = asyncio.run(measured({"a": "rest", "b": "rest", "c": "rest", "d": "wake_often"}))

    def alone(*names: str) -> float:
        return sum(found[name].run - found[name].overlap for name in names)

    assert found["d"].beside > 0
    assert found["d"].overlap == pytest.approx(0.0, abs=0.001)
    assert alone("a", "b", "c") < 2 * SECONDS  # the time in which any ran, not three times as much
    assert min(found[name].overlap for name in "abc") > 0.4 * SECONDS


def test_pages_of_memory_that_a_run_asks_for_are_counted() -> None:
    async def faults() -> list[int]:
        async with pool("process", 1, modules=("natures",)) as listener:
            listener.call("rests", "natures.rest", 0.01)
            listener.call("asks", "natures.hungry", 64)
            outcomes = [await listener.outcome(task) for task in ("rests", "asks")]
            return [one.measurement.page_faults for one in outcomes if one.measurement]

    rests, asks = asyncio.run(faults())
    assert asks > rests + 30  # where pages are huge, 2 MiB each; they are 4 KiB elsewhere

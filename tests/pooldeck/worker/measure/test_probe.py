"""What a worker sees of its calls: who needs the GIL, who runs without it, who waits."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from tests.support.pooled import Listener, eventually, pool

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what a thread waits for"
)

SECONDS = 0.4
HOLDS = ("loop", "parse", "search")
RELEASES = ("digest", "compress", "query")


async def observe(kind: PoolKind, function: str, beside: int) -> Observation:
    """Run a function, so many times at once, and return what was seen of it."""
    seconds = SECONDS if beside < 8 else SECONDS / 2  # eight are looked at for long enough
    async with pool(kind, beside, modules=("natures",), probes=True) as listener:
        for n in range(beside):
            listener.call(f"{function}-{n}", f"natures.{function}", seconds)
        await eventually(lambda: listener.has_outcomes(beside))
        await eventually(lambda: bool(listener.observations))
        return added(listener.observations)


def added(observations: list[Observation]) -> Observation:
    def total(name: str) -> Any:
        return sum((getattr(seen, name) for seen in observations), 0.0)

    looks = sum(seen.looks for seen in observations)
    return Observation(
        observations[0].function,
        looks,
        held=total("held"),
        free=total("free"),
        waiting=total("waiting"),
        delayed=total("delayed"),
        beside=sum(seen.beside * seen.looks for seen in observations) / looks,
        helper_cpu=total("helper_cpu"),
        helper_delayed=total("helper_delayed"),
        helper_ready=total("helper_ready"),
        unclaimed_cpu=total("unclaimed_cpu"),
    )


def seen_of(kind: PoolKind, function: str, beside: int) -> Observation:
    return asyncio.run(observe(kind, function, beside))


def check(kind: PoolKind, function: str, beside: int, is_so: Callable[[Observation], bool]) -> None:
    """Look again if need be: a pause of the machine spoils one measurement, hardly three."""
    for _ in range(3):
        seen = seen_of(kind, function, beside)
        if is_so(seen):
            return
    pytest.fail(str(seen))


@pytest.mark.parametrize("function", HOLDS)
@pytest.mark.parametrize(
    ("kind", "beside"), [(PoolKind.PROCESS, 1), (PoolKind.THREAD, 1), (PoolKind.THREAD, 8)]
)
def test_a_function_that_needs_the_gil_is_seen_to_need_it_alone_and_among_others(
    kind: PoolKind, beside: int, function: str
) -> None:
    check(kind, function, beside, lambda seen: seen.held > 3 * (seen.free + seen.waiting))


@pytest.mark.parametrize("function", RELEASES)
@pytest.mark.parametrize("kind", [PoolKind.PROCESS, PoolKind.THREAD])
def test_a_function_that_computes_without_the_gil_is_seen_to_be_free_of_it(
    kind: PoolKind, function: str
) -> None:
    check(kind, function, 1, lambda seen: seen.free > seen.held + seen.waiting)


def test_among_many_a_function_that_needs_no_gil_is_told_from_one_that_does() -> None:
    free, bound = seen_of(PoolKind.THREAD, "compress", 8), seen_of(PoolKind.THREAD, "parse", 8)
    assert free.free / (free.held + free.waiting) > 5 * bound.free / bound.held


@pytest.mark.parametrize(
    ("kind", "beside"), [(PoolKind.PROCESS, 1), (PoolKind.THREAD, 1), (PoolKind.THREAD, 8)]
)
def test_a_function_that_waits_is_seen_to_wait(kind: PoolKind, beside: int) -> None:
    check(kind, "rest", beside, lambda seen: seen.waiting > 5 * (seen.held + seen.free))


@pytest.mark.parametrize(
    ("kind", "company"), [(PoolKind.PROCESS, 0), (PoolKind.THREAD, 0), (PoolKind.THREAD, 6)]
)
def test_waits_that_are_shorter_than_a_look_are_not_taken_for_waits_for_the_gil(
    kind: PoolKind, company: int
) -> None:
    async def scenario() -> tuple[Observation, Measurement]:
        async with pool(kind, 1 + company, modules=("natures",), probes=True) as listener:
            for n in range(company):
                await listener.running(f"rest-{n}", "natures.rest", 60.0)
            listener.call("short", "natures.wait_shortly", SECONDS)
            outcome = await listener.outcome("short")
            name = "natures.wait_shortly"
            await eventually(lambda: any(seen.function == name for seen in listener.observations))
            assert outcome.measurement is not None
            return added(list(of(listener, "wait_shortly"))), outcome.measurement

    for _ in range(3):
        seen, cost = asyncio.run(scenario())
        waited = 1.0 - (cost.cpu + (cost.delayed or 0.0)) / cost.run
        if seen.waiting > 0.5 * waited * (seen.held + seen.free + seen.waiting):
            return
    pytest.fail(f"{seen}, {cost}")


def test_who_wants_the_gil_of_a_thread_that_sleeps_with_it_is_not_seen_to_wait() -> None:
    async def scenario() -> Observation:
        async with pool("thread", 2, modules=("natures",), probes=True) as listener:
            await listener.running("rest", "natures.rest_with_gil", 60.0)
            listener.call("loop", "natures.loop", SECONDS / 4)
            await listener.outcome("loop")
            await eventually(lambda: any(of(listener, "loop")))
            return added(list(of(listener, "loop")))

    seen = asyncio.run(scenario())
    assert seen.held > 3 * (seen.free + seen.waiting), seen


def test_a_waiting_function_is_told_from_one_that_holds_the_gil_beside_it() -> None:
    async def scenario() -> dict[str, Observation]:
        async with pool("thread", 8, modules=("natures",), probes=True) as listener:
            for n in range(4):
                listener.call(f"loop-{n}", "natures.loop", SECONDS)
                listener.call(f"rest-{n}", "natures.rest", SECONDS)
            await eventually(lambda: listener.has_outcomes(8))
            return {name: added(list(of(listener, name))) for name in ("loop", "rest")}

    seen = asyncio.run(scenario())
    assert seen["loop"].held > 3 * (seen["loop"].free + seen["loop"].waiting), seen
    # To return from its sleep it needs the GIL, too.
    assert seen["rest"].waiting > seen["rest"].free + seen["rest"].held, seen
    assert seen["rest"].beside > 3


def of(listener: Listener, name: str) -> Iterator[Observation]:
    return (seen for seen in listener.observations if seen.function == f"natures.{name}")


def test_helpers_of_calls_are_counted_where_all_calls_are_of_their_function() -> None:
    check(PoolKind.THREAD, "helped", 4, lambda seen: 0.6 < seen.helper_cpu / (4 * SECONDS) < 1.3)
    check(PoolKind.THREAD, "loop", 4, lambda seen: seen.helper_cpu < 0.1 * SECONDS)


def test_helpers_that_lack_a_cpu_are_counted_as_well() -> None:
    async def scenario(threads: int) -> Observation:
        modules = ("native_functions",)
        async with pool("process", 1, modules=modules, probes=True) as listener:
            listener.call("t", "native_functions.digest_on", threads, SECONDS)
            await eventually(lambda: listener.has_outcomes(1) and bool(listener.observations))
            return added(listener.observations)

    threads = usable_cpus() + 2
    seen = asyncio.run(scenario(threads))
    in_all = seen.held + seen.free + seen.waiting
    assert seen.helper_ready > 0.6 * threads * in_all, seen
    assert seen.helper_cpu < 1.2 * usable_cpus() * in_all, seen


def test_helpers_are_nobodys_where_calls_of_two_functions_run() -> None:
    async def scenario() -> Observation:
        async with pool("thread", 2, modules=("natures",), probes=True) as listener:
            await listener.running("rest", "natures.rest", 3 * SECONDS)
            listener.call("helped", "natures.helped", SECONDS)
            await eventually(lambda: listener.has_outcomes(2))
            return added(list(of(listener, "rest")))

    seen = asyncio.run(scenario())
    assert seen.helper_cpu == 0
    assert seen.unclaimed_cpu > 0  # how much depends on what the machine lets it have


def test_what_is_seen_adds_up_to_how_long_the_calls_ran() -> None:
    in_all = 4 * SECONDS
    check(
        PoolKind.THREAD,
        "rest",
        4,
        lambda seen: 0.5 < (seen.held + seen.free + seen.waiting) / in_all < 1.5,
    )


def test_short_calls_count_in_the_mean_for_as_long_as_they_take() -> None:
    async def scenario() -> Observation:
        async with pool("process", 1, modules=("natures",), probes=True) as listener:
            for n in range(300):
                listener.call(f"loop-{n}", "natures.loop", 0.003)
            await eventually(lambda: listener.has_outcomes(300))
            return added(listener.observations)

    seen = asyncio.run(scenario())
    assert seen.held > 3 * (seen.free + seen.waiting), seen
    assert 0.1 < seen.held / (300 * 0.003) < 10, seen


def measured(kind: PoolKind, function: str, *args: float) -> Measurement:
    async def scenario() -> Measurement:
        async with pool(kind, 1, modules=("natures",)) as listener:
            listener.call("a", f"natures.{function}", *args)
            outcome = await listener.outcome("a")
            assert outcome.measurement is not None
            return outcome.measurement

    return asyncio.run(scenario())


@pytest.mark.parametrize("kind", [PoolKind.PROCESS, PoolKind.THREAD])
def test_the_cpu_time_of_children_is_counted_in_both_kinds_of_pool(kind: PoolKind) -> None:
    cost = measured(kind, "child", 0.5)
    assert cost.cpu < 0.25
    assert 0.5 <= cost.child_cpu < 2


def test_children_are_counted_for_the_call_that_waits_for_them_and_for_no_other() -> None:
    async def scenario() -> list[float]:
        async with pool("thread", 2, modules=("natures",)) as listener:
            listener.call("a", "natures.child", 0.3)
            listener.call("b", "natures.rest", 1.5)
            outcomes = [await listener.outcome(task) for task in "ab"]
            return [outcome.measurement.child_cpu for outcome in outcomes if outcome.measurement]

    parent, bystander = asyncio.run(scenario())
    assert parent >= 0.3
    assert bystander == 0


@pytest.mark.parametrize("kind", [PoolKind.PROCESS, PoolKind.THREAD])
def test_the_cpu_time_of_threads_that_work_for_a_call_is_counted(kind: PoolKind) -> None:
    cost = measured(kind, "helped", 0.4)
    assert cost.cpu < 0.2 < cost.helper_cpu
    assert measured(kind, "rest", 0.4).helper_cpu == 0


def test_a_call_that_ran_beside_others_says_so() -> None:
    async def scenario() -> list[int]:
        async with pool("thread", 3, modules=("natures",)) as listener:
            for task in "abc":
                listener.call(task, "natures.rest", 0.3)
            outcomes = [await listener.outcome(task) for task in "abc"]
            return [outcome.measurement.beside for outcome in outcomes if outcome.measurement]

    assert all(beside >= 1 for beside in asyncio.run(scenario()))
    assert measured(PoolKind.THREAD, "rest", 0.0).beside == 0


def test_a_call_says_that_its_target_throttles_it() -> None:
    cost = measured(PoolKind.THREAD, "turned_away")
    assert (cost.throttled, cost.throttled_seconds) == (2, 1.5)


def test_the_growth_of_a_process_is_measured() -> None:
    assert (measured(PoolKind.PROCESS, "hungry", 50).rss_growth_bytes or 0) > 40 << 20

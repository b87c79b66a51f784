"""What is said of functions that only ever ran beside others: right, or not for sure."""

import asyncio
import sys
from collections.abc import Collection

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement
from pooldeck_server.advice import Advice, PoolShape, Verdict, advise
from pooldeck_server.domain.measurements.profiles import Profile
from tests.support.pooled import Listener, eventually, pool

pytest.importorskip("numpy", reason="one of the functions needs it")
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what a thread waits for"
)

SECONDS = 0.06  # of CPU time
CALLS = 8
SLEEPERS = 6
POOLS = (PoolShape("io", PoolKind.THREAD, 8), PoolShape("cpu", PoolKind.PROCESS, 2))
HOLD = ("natures.loop", "natures.count_words", "natures.parse", "array_functions.add_small_arrays")
RELEASE = ("natures.digest", "natures.compress")
WAIT = ("natures.wait_shortly", "natures.wake_often")


async def advised_beside(company: str, functions: Collection[str]) -> dict[str, Advice]:
    """Run each function a few times beside calls that hardly do anything; return the advice."""
    modules = ("natures", "array_functions")
    async with pool("thread", 8, modules=modules, probes=True) as listener:
        for n in range(SLEEPERS):
            await listener.running(f"company-{n}", company, 60.0)
        return {function: await _advised(listener, function, company) for function in functions}


async def _advised(listener: Listener, function: str, company: str) -> Advice:
    measured: list[Measurement] = []
    for n in range(CALLS):
        listener.call(f"{function}-{n}", function, SECONDS)
        outcome = await listener.outcome(f"{function}-{n}")
        assert outcome.measurement is not None, outcome
        measured.append(outcome.measurement)
    await _all_is_reported(listener, company)
    seen = [each for each in listener.observations if each.function == function]
    known = Profile(function, PoolKind.THREAD).after(measured, seen, runs=CALLS, now=1)
    return advise(function, "io", {PoolKind.THREAD: known}, POOLS, cpus=2)


async def _all_is_reported(listener: Listener, company: str) -> None:
    """Wait for another report on the company, which comes with or after that on the others."""

    def reports() -> int:
        return sum(each.function == company for each in listener.observations)

    before = reports()
    await eventually(lambda: reports() > before + 1)


def wrong_for_sure(said: dict[str, Advice]) -> list[str]:
    right = {
        Verdict.HOLDS_GIL: HOLD,
        Verdict.RELEASES_GIL: RELEASE,
        Verdict.IO_BOUND: WAIT,
        Verdict.MIXED: WAIT,  # they compute too, and where CPUs are few, waits become short
    }
    return [
        f"{name}: {advice.verdict}, {advice.confidence}, {advice.numbers}"
        for name, advice in said.items()
        if name not in right.get(advice.verdict, ()) and advice.confidence in {"medium", "high"}
    ]


def test_beside_calls_that_sleep_what_computes_is_not_taken_for_something_else() -> None:
    said = asyncio.run(advised_beside("natures.rest", (*HOLD[:2], HOLD[3])))
    assert wrong_for_sure(said) == []
    assert all(advice.confidence != "high" for advice in said.values())
    assert said["natures.loop"].verdict is Verdict.HOLDS_GIL


def test_beside_calls_that_sleep_what_waits_in_short_pieces_is_not_taken_to_compute() -> None:
    (advice,) = asyncio.run(advised_beside("natures.rest", WAIT[:1])).values()
    assert advice.verdict in {Verdict.IO_BOUND, Verdict.MIXED}, advice


@pytest.mark.soak
@pytest.mark.parametrize("company", ["natures.rest", "natures.wake_often"])
@pytest.mark.parametrize("_time", range(20))
def test_twenty_times_in_a_row_nothing_is_said_for_sure_that_is_wrong(
    company: str, _time: int
) -> None:
    said = asyncio.run(advised_beside(company, (*HOLD, *RELEASE, *WAIT)))
    assert wrong_for_sure(said) == []

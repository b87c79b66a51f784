"""When measurements move a function that its owner vouches for."""

from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.advice import Advice, Confidence, PoolShape, Verdict, advise
from pooldeck_server.advice.moving import (
    LONGEST_PAUSE,
    PAUSE,
    STEADY,
    Leaning,
    is_ripe,
    leaning,
    moved,
    pause,
)
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.measurements.profiles import Profile

POOLS = (PoolShape("io", PoolKind.THREAD, 6), PoolShape("cpu", PoolKind.PROCESS, 2))
SLEEP = Measurement(run=0.1, cpu=0.0002, voluntary_switches=1)
STARTED = Placement("cpu", PlacementRule.PLAIN)
SECOND = 1_000_000


def advice(runs: int = 100, pool: str = "cpu", *, cpus: int = 2) -> Advice:
    """Return the advice on a function that sleeps, after so many runs in processes."""
    seen = Observation(
        "acme.nap", looks=runs, held=0, free=0, waiting=runs * 0.1, delayed=0, beside=0
    )
    profile = Profile("acme.nap", PoolKind.PROCESS).after([SLEEP] * runs, [seen], runs=runs, now=1)
    return advise("acme.nap", pool, {PoolKind.PROCESS: profile}, POOLS, cpus)


def with_(given: Advice, **changes: Any) -> Advice:
    return replace(given, **changes)


def test_what_waits_in_processes_leans_to_threads() -> None:
    assert leaning(advice(), None, 5.0) == Leaning("io", since=5.0)


def test_a_wish_that_stands_keeps_its_age() -> None:
    wish = leaning(advice(), None, 5.0)
    assert leaning(advice(), wish, 9.0) == wish


def test_a_wish_for_another_pool_is_a_new_one() -> None:
    assert leaning(advice(), Leaning("more", since=1.0), 9.0) == Leaning("io", since=9.0)


def test_what_is_in_its_place_stays() -> None:
    assert leaning(advice(pool="io"), Leaning("io", since=1.0), 9.0) is None


@pytest.mark.parametrize("confidence", ["none", "low"])
def test_little_evidence_moves_nothing(confidence: Confidence) -> None:
    assert leaning(with_(advice(), confidence=confidence), None, 0.0) is None


def test_a_few_runs_are_little_evidence() -> None:
    assert leaning(advice(runs=4), None, 0.0) is None


def test_a_small_gain_is_not_worth_a_move_unless_the_gil_is_held() -> None:
    cost = advice().cost
    assert cost is not None
    small = with_(advice(), cost=replace(cost, recommended_seconds=cost.present_seconds / 1.16))
    assert leaning(small, None, 0.0) is None
    assert leaning(with_(small, verdict=Verdict.HOLDS_GIL), None, 0.0) is not None


def test_a_first_move_waits_until_the_advice_has_stood_for_some_time() -> None:
    wish = Leaning("io", since=100.0)
    assert not is_ripe(wish, STARTED, 100.0 + STEADY - 0.1, at=0)
    assert is_ripe(wish, STARTED, 100.0 + STEADY, at=0)


def test_the_next_move_waits_for_the_end_of_a_pause() -> None:
    wish = Leaning("cpu", since=0.0)
    placement = Placement("io", PlacementRule.MEASURED, since=0, moves=1)
    assert not is_ripe(wish, placement, 1000.0, at=int((PAUSE - 1) * SECOND))
    assert is_ripe(wish, placement, 1000.0, at=int(PAUSE * SECOND))


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause(moves) for moves in (0, 1, 2, 3)] == [0, PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert pause(1000) == LONGEST_PAUSE


def test_a_move_says_what_it_was_drawn_from() -> None:
    given = advice(runs=120)
    placement = moved(Leaning("io", since=0.0), given, STARTED, at=7)
    assert given.cost is not None
    assert placement == Placement(
        "io",
        PlacementRule.MEASURED,
        since=7,
        verdict="io_bound",
        confidence="high",
        runs=120,
        gain=round(given.cost.gain, 2),
        before="cpu",
        moves=1,
    )

"""What pages draw and say of an advice: on a function, and on the size of a pool."""

import math
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement
from pooldeck_server.advice import (
    Advice,
    AdviceRule,
    Numbers,
    PoolShape,
    Recommendation,
    RunCostNumbers,
    Verdict,
    advise,
)
from pooldeck_server.advice.sizes import size_advice
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.pools.loads import LoadWindow, Passed, PoolLoad
from pooldeck_server.domain.pools.sizes import (
    FunctionCost,
    Machine,
    Range,
    SizeAdvice,
    SizedPool,
    SizeOrigin,
)
from pooldeck_server.web.pages.functions.advice import shown
from pooldeck_server.web.pages.functions.evidence import evidence
from pooldeck_server.web.pages.pools.advice import shown as shown_size
from pooldeck_server.web.pages.shared.moves import brief, misplaced_lines
from pooldeck_server.web.pages.shared.rendering import environment
from pooldeck_server.web.text.formats import NOTHING

POOLS = (PoolShape("io", PoolKind.THREAD, 32), PoolShape("cpu", PoolKind.PROCESS, 2))
SIZES = {"io": 32, "cpu": 2}


def profile(kind: PoolKind, runs: int = 10, **costs: Any) -> Profile:
    run = Measurement(**{"run": 1.0, "cpu": 0.0, "decode": 0.0, "encode": 0.0, **costs})
    return Profile("f", kind).after([run] * runs, [], runs=runs, now=1)


def advice(**changes: Any) -> Advice:
    """Return the advice on a function that waits for a second and runs in processes."""
    given = advise("acme.f", "cpu", {PoolKind.PROCESS: profile(PoolKind.PROCESS)}, POOLS, cpus=2)
    return replace(given, **changes)


def costing(**changes: Any) -> Numbers:
    return replace(advice().numbers, **changes)


# Where the time of a run goes.


def test_the_parts_of_a_run_fill_the_bar_one_after_the_other() -> None:
    numbers = costing(cpu=0.6, gil=0.45, waiting=0.4, child_cpu=0.1)
    shares = shown(advice(numbers=numbers), SIZES).shares
    assert [(each.kind, round(each.percent)) for each in shares] == [
        ("gil", 45),
        ("free", 15),
        ("child", 10),
        ("waiting", 30),
    ]
    ends = [each.start + each.percent for each in shares]
    assert [each.start for each in shares] == pytest.approx([0.0, *ends[:-1]], abs=0.02)
    assert ends[-1] == pytest.approx(100, abs=0.05)


def test_nothing_is_said_of_the_gil_where_nobody_has_seen_it() -> None:
    shares = shown(advice(numbers=costing(cpu=0.6, gil=None, waiting=0.4)), SIZES).shares
    assert [(each.kind, each.label) for each in shares] == [
        ("cpu", "computing"),
        ("waiting", "waiting"),
    ]


def test_children_compute_within_the_wait_and_what_cannot_be_seen_is_left_out() -> None:
    numbers = costing(cpu=0.0001, gil=0.0001, waiting=1.0, child_cpu=4.0)
    assert [each.kind for each in shown(advice(numbers=numbers), SIZES).shares] == ["child"]


def test_what_never_ran_has_no_bars_but_a_way_to_try_it() -> None:
    never = shown(advise("a b", "cpu", {}, POOLS, cpus=2), SIZES)
    assert (never.code, never.steps, never.shares, never.costs) == (Verdict.UNKNOWN, 0, (), ())
    assert never.experiment == "/experiments/new?function=a+b"


# What a move would gain.


def test_the_better_pool_is_marked_and_the_longer_bar_is_full() -> None:
    here, there = shown(advice(cost=RunCostNumbers(100, 50.0, 5.0)), SIZES).costs
    assert (here.place, here.kind, here.percent, here.is_better) == (
        "cpu",
        "2 processes",
        100,
        False,
    )
    assert (there.place, there.kind, there.percent, there.is_better) == (
        "io",
        "32 threads",
        10,
        True,
    )


def test_a_button_places_what_is_misplaced_where_there_is_a_better_pool() -> None:
    assert shown(advice(), SIZES).apply == "io"
    assert shown(advice(is_misplaced=False), SIZES).apply == ""
    assert shown(advice(recommended=Recommendation(PoolKind.THREAD, None)), SIZES).apply == ""


def test_nothing_is_compared_where_a_function_is_in_the_right_kind_of_pool() -> None:
    assert shown(advice(recommended=Recommendation(PoolKind.PROCESS, "cpu")), SIZES).costs == ()


def test_misplaced_functions_are_listed_with_the_largest_gain_first() -> None:
    little = advice(function="acme.little", cost=RunCostNumbers(100, 1.0, 1.0))
    much = advice(function="acme.müch", cost=RunCostNumbers(100, 34.0, 10.0))
    first, second = misplaced_lines([little, much])
    assert (first.advice, first.better) == (much, "io")
    assert first.gain == "3.4 times as fast"
    assert second.gain == "not faster, but it slows nothing down beside it"
    listed = environment().get_template("deck/misplaced.html").render(misplaced=[first])
    assert 'href="/functions/acme.m%C3%BCch#advice"' in listed


def test_a_kind_of_pool_is_named_where_there_is_none_of_it() -> None:
    homeless = advice(recommended=Recommendation(PoolKind.THREAD, None))
    assert misplaced_lines([homeless])[0].better == "threads"
    assert brief(homeless).better == "threads"


def test_a_list_names_another_pool_only_for_what_is_misplaced() -> None:
    found = brief(advice(is_misplaced=False, verdict=Verdict.MIXED, rule=AdviceRule.THREADS_ENOUGH))
    assert (found.code, found.better) == ("mixed", "")


# The numbers behind it.


def test_the_numbers_have_a_column_for_each_kind_of_pool_that_it_ran_in() -> None:
    found = evidence({PoolKind.PROCESS: profile(PoolKind.PROCESS, cpu=0.25, voluntary_switches=1)})
    assert found is not None
    assert found.heads == ("in processes",)
    rows = dict(found.rows)
    assert rows["Runs so far"] == ("10",)
    assert rows["CPU time"] == ("250 ms",)
    assert rows["CPU time that needs the GIL"] == (NOTHING,)
    both = evidence(
        {PoolKind.PROCESS: profile(PoolKind.PROCESS), PoolKind.THREAD: profile(PoolKind.THREAD)}
    )
    assert both is not None
    assert both.heads == ("in threads", "in processes")
    assert evidence({}) is None


# How many.


def sized(size: int, **changes: Any) -> SizeAdvice:
    """Return the advice on threads that wait for nine tenths of their time, and are all busy."""
    load = PoolLoad((LoadWindow(300, 1.0, size, size, 10.0, 5.0, 1.0, (Passed("f", 3000, 3000),)),))
    cost = FunctionCost(alone=1.0, cpu=0.1, gil=0.05)
    pool = SizedPool("io", PoolKind.THREAD, size, SizeOrigin("setting", size), load, cost)
    return replace(size_advice(pool, Machine(cpus=2, affinity=2), [pool]), **changes)


def test_a_size_that_does_not_fit_is_told_with_the_one_to_choose() -> None:
    found = shown_size(sized(4))
    assert found.apply is not None
    assert found.apply > 4
    assert found.verdict.startswith("Make it larger")
    assert found.verdict not in found.sentences
    assert dict(found.facts)["Utilization"] == "100 %"


def test_sizes_stand_on_a_scale_on_which_each_doubling_is_as_far() -> None:
    scale = shown_size(sized(32, right=Range(8, 16))).scale
    assert scale is not None
    assert scale.now.place - (scale.low + scale.width) == pytest.approx(scale.width, abs=0.05)
    assert scale.low == pytest.approx(100 * math.log2(8) / math.log2(200), abs=0.01)
    assert [tick.words for tick in scale.ticks] == ["1", "8", "16", "200"]
    assert scale.words == "8 to 16 are right, 32 now"


@pytest.mark.parametrize("right", [Range(1, 1), Range(100, 200), Range(200, 200), Range(40, 44)])
def test_labels_on_the_scale_do_not_touch_and_nothing_leaves_it(right: Range) -> None:
    scale = shown_size(sized(32, right=right)).scale
    assert scale is not None
    assert 0 <= scale.low < scale.low + scale.width <= 100.01
    places = [tick.place for tick in scale.ticks]
    assert all(later - place >= 8 for place, later in pairwise(places))


def test_there_is_no_scale_where_nothing_ran() -> None:
    pool = SizedPool("io", PoolKind.THREAD, 8, SizeOrigin("default", 8))
    found = shown_size(size_advice(pool, Machine(cpus=2, affinity=2), [pool]))
    assert (found.scale, found.apply) == (None, None)
    assert "Cannot say yet" in found.verdict

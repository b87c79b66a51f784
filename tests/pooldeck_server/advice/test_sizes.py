"""How large a pool should be: between what its load needs and what the machine bears."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.advice.queueing import mean_wait, offered_load
from pooldeck_server.advice.sizes import MOST_THREADS, computing_slots, size_advice
from pooldeck_server.domain.pools.loads import LoadWindow, Passed, PoolLoad
from pooldeck_server.domain.pools.sizes import (
    CpuPressure,
    FunctionCost,
    Machine,
    Range,
    SizeAdvice,
    SizedPool,
    SizeOrigin,
    SizeRule,
)

MACHINE = Machine(cpus=2, affinity=2)
WAITS = FunctionCost(alone=0.1, cpu=0.001, gil=0.001, wall=0.1)
COMPUTES = FunctionCost(alone=0.1, cpu=0.1, gil=0.1, wall=0.1)
HASHES = FunctionCost(alone=0.1, cpu=0.1, gil=0.001, wall=0.1)


def window(
    per_second: float, busy: float = 0.0, *, queued: float = 0.0, seconds: int = 300
) -> LoadWindow:
    number = int(per_second * seconds)
    passed = (Passed("acme.f", number, number),)
    return LoadWindow(seconds, 0.0, 8, busy, queued, 0.0, 0.0, passed)


def pool(
    kind: str,
    size: int,
    cost: FunctionCost | None = None,
    *windows: LoadWindow,
) -> SizedPool:
    return SizedPool(
        "p", PoolKind(kind), size, SizeOrigin("setting", size), PoolLoad(windows), cost
    )


def advice(pool: SizedPool, machine: Machine = MACHINE) -> SizeAdvice:
    return size_advice(pool, machine, [pool])


# What the load needs.


def test_what_has_run_for_long_and_has_not_ended_needs_its_slots_by_now() -> None:
    idle = pool("thread", 10, WAITS, window(0.1))
    assert advice(idle).needed == pytest.approx(0.01)
    assert advice(replace(idle, long_running=5)).needed == 5


def test_a_load_needs_its_rate_times_the_length_of_a_run() -> None:
    assert offered_load(PoolLoad((window(20),)), 0.1) == pytest.approx(2.0)


def test_the_busiest_window_counts() -> None:
    assert offered_load(PoolLoad((window(1), window(50), window(2))), 0.1) == pytest.approx(5.0)


def test_a_moment_does_not_count_beside_minutes() -> None:
    burst, minute = window(1000, seconds=10), window(20, seconds=60)
    assert offered_load(PoolLoad((burst, window(10), minute)), 0.1) == pytest.approx(2.0)
    assert offered_load(PoolLoad((burst,)), 0.1) == pytest.approx(100.0)


def test_what_waits_from_before_counts_as_if_it_came() -> None:
    nothing_came = LoadWindow(300, 0.0, 8, 8, 2400.0, 0.0, 0.0, (Passed("acme.f", 0, 600),))
    assert offered_load(PoolLoad((nothing_came,)), 0.1) == pytest.approx(1.0)


def test_a_server_that_is_shared_by_two_at_half_load_lets_them_wait_as_erlang_says() -> None:
    # Erlang C for two servers that are offered one: 1/3 wait, on average for a whole run.
    assert mean_wait(1.0, 2, run=3.0) == pytest.approx(1.0)
    assert mean_wait(2.0, 2, run=3.0) is None


@given(offered=st.floats(0.01, 50), servers=st.integers(1, 60))
def test_more_servers_never_make_anybody_wait_longer(offered: float, servers: int) -> None:
    here, more = (mean_wait(offered, number, 1.0) for number in (servers, servers + 1))
    assert here is None or (more is not None and 0 <= more <= here)


# What the machine bears.


def test_nothing_can_be_said_of_a_pool_in_which_nothing_ran() -> None:
    found = advice(pool("thread", 6))
    assert (found.verdict, found.rule) == ("unknown", SizeRule.NOTHING_RAN)
    assert (found.right, found.recommended, found.present) == (None, None, None)


def test_nothing_can_be_said_of_a_pool_on_hosts_and_it_takes_nothing_from_this_machine() -> None:
    away = replace(pool("process", 8), is_on_hosts=True)
    here = pool("process", 2)

    assert advice(away).rule is SizeRule.ON_HOSTS
    assert size_advice(here, MACHINE, (here, away)).computing == 2


def test_threads_are_bounded_by_the_cpus_and_how_much_they_wait() -> None:
    cost = FunctionCost(alone=0.1, cpu=0.02, gil=0.0001, wall=0.1)
    assert advice(pool("thread", 6, cost, window(1))).by_cpus == 2 * (1 + 4)


def test_threads_are_bounded_by_the_gil_they_share() -> None:
    cost = FunctionCost(alone=0.1, cpu=0.01, gil=0.01, wall=0.1)
    found = advice(pool("thread", 6, cost, window(1)))
    assert (found.by_cpus, found.by_gil) == (20, 10)
    assert found.right == Range(1, 10)


def test_what_only_waits_may_have_many_threads_but_not_any_number() -> None:
    cost = FunctionCost(alone=1.0, cpu=0.0, gil=0.0, wall=1.0)
    found = advice(pool("thread", 6, cost, window(1)))
    assert found.right is not None
    assert found.right.high == MOST_THREADS == 200


def test_processes_are_never_recommended_above_the_cpus() -> None:
    found = advice(pool("process", 1, WAITS, window(500, busy=1)))
    assert (found.verdict, found.recommended) == ("larger", 2)
    assert found.right == Range(2, 2)


def test_more_processes_than_cpus_are_too_many_even_if_nothing_ran() -> None:
    found = advice(pool("process", 5))
    assert (found.verdict, found.rule, found.recommended) == ("smaller", SizeRule.OVER_CPUS, 2)


# What to make of it.


def test_a_load_that_needs_little_leaves_the_size_as_it_is() -> None:
    found = advice(pool("thread", 32, WAITS, window(10, busy=1)))
    assert (found.verdict, found.rule, found.recommended) == ("fits", SizeRule.LOAD_FITS, None)
    assert found.needed == pytest.approx(1.0)


def test_a_load_that_needs_more_gets_it_with_room_to_spare() -> None:
    found = advice(pool("thread", 6, WAITS, window(140, busy=6)))
    assert (found.verdict, found.rule) == ("larger", SizeRule.LOAD_NEEDS_MORE)
    assert found.needed == pytest.approx(14.0)
    assert found.recommended == 20
    assert found.present is not None
    assert found.expected is not None
    assert found.present.wait is None
    assert found.present.capacity == pytest.approx(60)
    assert found.expected.capacity == pytest.approx(200)
    assert found.expected.utilization == pytest.approx(0.7)
    assert found.expected.wait is not None
    assert found.expected.wait < 0.1


def test_a_busy_pool_is_not_made_larger_than_the_machine_bears() -> None:
    found = advice(pool("process", 2, COMPUTES, window(100, busy=2)))
    assert (found.verdict, found.rule) == ("fits", SizeRule.MACHINE_FULL)


def test_threads_that_compute_gain_nothing_from_more_of_them() -> None:
    found = advice(pool("thread", 2, COMPUTES, window(100, busy=2)))
    assert (found.rule, found.by_gil, found.recommended) == (SizeRule.MACHINE_FULL, 1, None)


def test_more_threads_than_the_cpus_can_run_take_turns() -> None:
    found = advice(pool("thread", 32, HASHES, window(100, busy=30)))
    assert (found.verdict, found.rule, found.recommended) == ("smaller", SizeRule.CROWDED, 2)
    idle = advice(pool("thread", 32, HASHES, window(5, busy=0.5)))
    assert idle.rule is SizeRule.LOAD_FITS


@pytest.mark.parametrize(
    "pressed",
    [
        Machine(2, 2, pressure=CpuPressure(0.0, 0.4, 0.1)),
        Machine(2, 2, load=(5.0, 1.0, 1.0)),
    ],
)
def test_where_tasks_wait_for_a_cpu_nothing_that_computes_gets_more_slots(pressed: Machine) -> None:
    computing = FunctionCost(alone=0.1, cpu=0.03, gil=0.001, wall=0.1)
    busy = pool("thread", 2, computing, window(50, busy=2))
    assert advice(busy).verdict == "larger"
    assert advice(busy, pressed).rule is SizeRule.PRESSURE
    assert advice(pool("thread", 2, WAITS, window(50, busy=2)), pressed).verdict == "larger"


def test_threads_that_used_little_together_did_not_take_turns() -> None:
    waits = FunctionCost(
        alone=0.0002, cpu=0.0001, gil=0.0001, wall=0.02
    )  # how it waits was hardly seen
    assert advice(pool("thread", 32, waits, window(100, busy=30))).rule is SizeRule.LOAD_FITS


def test_low_pressure_is_believed_before_a_high_load() -> None:
    relaxed = Machine(2, 2, pressure=CpuPressure(0.0, 0.01, 0.1), load=(9.0, 1.0, 1.0))
    computing = FunctionCost(alone=0.1, cpu=0.03, gil=0.001, wall=0.1)
    assert advice(pool("thread", 2, computing, window(50, busy=2)), relaxed).verdict == "larger"


def test_a_target_that_throttles_gets_fewer_requests_at_once() -> None:
    throttled = FunctionCost(alone=0.1, cpu=0.001, gil=0.001, wall=0.1, beside=15, throttled=0.25)
    found = advice(pool("thread", 16, throttled, window(200, busy=16)))
    assert (found.verdict, found.rule) == ("smaller", SizeRule.THROTTLED)
    assert (found.by_target, found.recommended) == (12, 12)


def test_a_target_that_throttles_now_and_then_is_well_used() -> None:
    throttled = FunctionCost(alone=0.1, cpu=0.001, gil=0.001, wall=0.1, beside=15, throttled=0.01)
    assert advice(pool("thread", 16, throttled, window(100, busy=10))).by_target is None


def test_a_load_in_bursts_is_seen_by_how_many_met() -> None:
    bursts = FunctionCost(alone=0.1, cpu=0.001, gil=0.001, wall=0.1, beside=7, throttled=0.5)
    assert advice(pool("thread", 8, bursts, window(2, busy=0.2))).recommended == 4


def test_busy_is_known_from_the_runs_where_looks_missed_them() -> None:
    beats = pool("thread", 8, WAITS, window(20, busy=0.0))
    assert beats.busy == pytest.approx(2.0)
    assert beats.utilization == pytest.approx(0.25)
    assert pool("thread", 8).utilization is None


# All pools together.


@pytest.mark.parametrize(
    ("found", "slots"),
    [
        (pool("process", 4), 4),
        (pool("thread", 32), 0),
        (pool("thread", 32, WAITS), 0),
        (pool("thread", 32, COMPUTES), 1),
        (pool("thread", 32, HASHES), 32),
    ],
)
def test_only_what_can_compute_at_once_is_set_against_the_cpus(
    found: SizedPool, slots: int
) -> None:
    assert computing_slots(found) == slots


def test_an_advice_counts_what_all_pools_compute_with() -> None:
    one, other = pool("process", 2), pool("thread", 6, COMPUTES, window(1))
    assert size_advice(one, MACHINE, [one, other]).computing == 3


costs = st.builds(
    lambda cpu, waiting, share: FunctionCost(cpu + waiting, cpu, cpu * share, wall=cpu + waiting),
    st.floats(1e-5, 5),
    st.floats(0, 5),
    st.floats(0, 1),
)


@given(
    kind=st.sampled_from(["thread", "process"]),
    size=st.integers(1, 300),
    cost=costs,
    rate=st.floats(0.1, 1000),
    cpus=st.integers(1, 64),
)
def test_a_recommendation_is_within_what_is_right_and_ends_there(
    kind: str, size: int, cost: FunctionCost, rate: float, cpus: int
) -> None:
    machine, busy = Machine(cpus, cpus), min(float(size), rate * cost.alone)
    found = advice(pool(kind, size, cost, window(rate, busy=busy)), machine)
    assert found.right is not None
    assert 1 <= found.right.low <= found.right.high <= MOST_THREADS
    if found.recommended is not None:
        assert found.right.low <= found.recommended <= found.right.high
        assert (found.recommended > size) is (found.verdict == "larger")
        after = pool(kind, found.recommended, cost, window(rate, busy=busy))
        assert advice(after, machine).recommended is None


@given(cost=costs, rate=st.floats(0.1, 1000), cpus=st.integers(1, 64))
def test_a_larger_pool_is_only_recommended_where_it_gets_through_more(
    cost: FunctionCost, rate: float, cpus: int
) -> None:
    found = advice(pool("thread", 2, cost, window(rate)), Machine(cpus, cpus))
    if found.verdict == "larger":
        assert found.expected is not None
        assert found.present is not None
        assert found.expected.capacity >= found.present.capacity


# Threads of a task's own.


def computing_on(threads: float, size: int, kind: str = "process") -> SizeAdvice:
    cost = FunctionCost(alone=0.1, cpu=0.1 * threads, gil=0.001, wall=0.1, threads=threads)
    return advice(pool(kind, size, cost, window(1)))


@pytest.mark.parametrize(
    ("threads", "size", "wanted"), [(2.0, 2, 1), (8.0, 2, 1), (8.0, 1, 2), (2.0, 8, 1)]
)
def test_tasks_that_compute_on_several_threads_each_share_the_cpus(
    threads: float, size: int, wanted: int
) -> None:
    assert computing_on(threads, size).threads_per_task == wanted


@pytest.mark.parametrize(("threads", "size"), [(1.0, 2), (1.4, 2), (2.0, 1), (0.2, 8)])
def test_threads_that_fit_the_cpus_are_nobodys_business(threads: float, size: int) -> None:
    assert computing_on(threads, size).threads_per_task is None


def test_in_a_thread_pool_threads_of_a_tasks_own_are_its_own_matter() -> None:
    assert computing_on(2.0, 8, "thread").threads_per_task is None

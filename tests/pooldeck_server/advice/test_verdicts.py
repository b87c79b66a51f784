"""Functions of known nature get the right verdict and the right kind of pool, however crowded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement
from pooldeck_server.advice import Advice, AdviceRule, PoolShape, Verdict, advise
from pooldeck_server.domain.measurements.profiles import Profile
from tests.support.measured import CPUS, NOW, POOLS, Nature, after, profile

HOLDS = Nature(gil=0.1)
RELEASES = Nature(gil=0.005, free=0.095)
WAITS = Nature(gil=0.002, waiting=0.1)
CHILD = Nature(gil=0.001, waiting=0.1, child=0.1)
KNOWN = [
    (HOLDS, Verdict.HOLDS_GIL, "process"),
    (RELEASES, Verdict.RELEASES_GIL, "thread"),
    (WAITS, Verdict.IO_BOUND, "thread"),
    (CHILD, Verdict.RELEASES_GIL, "thread"),
    (Nature(gil=0.09, waiting=0.01), Verdict.HOLDS_GIL, "process"),
    (Nature(gil=0.06, waiting=0.04), Verdict.MIXED, "process"),
    (Nature(gil=0.03, waiting=0.07), Verdict.MIXED, "thread"),
    (Nature(free=0.05, waiting=0.05), Verdict.MIXED, "thread"),
    (Nature(gil=0.01, waiting=0.09), Verdict.IO_BOUND, "thread"),
    (Nature(gil=0.00002), Verdict.TOO_CHEAP, "thread"),
]
milliseconds = st.floats(0.001, 0.5)
natures = st.builds(Nature, gil=milliseconds, free=milliseconds, waiting=milliseconds)
# Of a mixture of work with and without the GIL, company shows the larger part.
lopsided = st.builds(
    lambda less, times, waiting: (less, min(0.5, times * less), waiting),
    st.floats(0.001, 0.1),
    st.floats(4.0, 500.0),
    milliseconds,
).flatmap(lambda of: st.sampled_from([Nature(*of), Nature(of[1], of[0], of[2])]))


def of(
    nature: Nature,
    pool: str = "io",
    pools: tuple[PoolShape, ...] = POOLS,
    cpus: int = CPUS,
    **how: object,
) -> Advice:
    """Return the advice on a function that runs in `pool`, from its profile there."""
    kind = next(shape.kind for shape in pools if shape.name == pool)
    return advise("f", pool, {kind: profile(nature, kind=kind, **how)}, pools, cpus)  # type: ignore[arg-type]


def kind_of(advice: Advice) -> PoolKind | None:
    return advice.recommended.kind if advice.recommended else None


@pytest.mark.parametrize("beside", [0, 7])
@pytest.mark.parametrize("pool", ["io", "cpu"])
@pytest.mark.parametrize(("nature", "verdict", "kind"), KNOWN)
def test_a_function_of_known_nature_is_recognised(
    nature: Nature, verdict: Verdict, kind: PoolKind, pool: str, beside: int
) -> None:
    advice = of(nature, pool, beside=beside)
    assert (advice.verdict, kind_of(advice)) == (verdict, kind)


@pytest.mark.parametrize(("nature", "verdict", "kind"), KNOWN)
def test_five_runs_are_enough(nature: Nature, verdict: Verdict, kind: PoolKind) -> None:
    advice = of(nature, runs=5)
    assert (advice.verdict, kind_of(advice)) == (verdict, kind)
    assert advice.confidence != "none"


@given(nature=lopsided, beside=st.integers(1, 30))
def test_company_does_not_change_the_numbers(nature: Nature, beside: int) -> None:
    alone, crowded = of(nature).numbers, of(nature, beside=beside).numbers
    assert crowded.cpu == pytest.approx(alone.cpu)
    assert crowded.waiting == pytest.approx(alone.waiting, rel=0.15, abs=0.2 * nature.run(beside))
    assert alone.gil is not None
    assert crowded.gil == pytest.approx(alone.gil, abs=0.2 * nature.cpu)


@given(nature=natures, factor=st.floats(1.0, 1000.0))
def test_a_verdict_goes_by_shares_and_not_by_length(nature: Nature, factor: float) -> None:
    longer = Nature(nature.gil * factor, nature.free * factor, nature.waiting * factor)
    short, long = of(nature), of(longer)
    assert (long.verdict, long.recommended) == (short.verdict, short.recommended)


@given(nature=natures, more=st.floats(0.0, 10.0))
def test_who_waits_longer_is_never_sent_to_processes_for_it(nature: Nature, more: float) -> None:
    if kind_of(of(nature)) == "thread":
        longer = Nature(nature.gil, nature.free, nature.waiting + more)
        assert kind_of(of(longer)) == "thread"


@given(nature=natures)
def test_where_it_runs_now_does_not_change_what_it_is(nature: Nature) -> None:
    profiles: dict[PoolKind, Profile] = {PoolKind.THREAD: profile(nature)}
    here = advise("f", "io", profiles, POOLS, CPUS)
    there = advise("f", "cpu", profiles, POOLS, CPUS)
    assert (here.verdict, here.recommended) == (there.verdict, there.recommended)
    assert not (here.is_misplaced and there.is_misplaced)


def test_what_never_ran_and_what_hardly_ran_gets_no_verdict() -> None:
    never = advise("f", "io", {}, POOLS, CPUS)
    assert (never.verdict, never.rule) == (Verdict.UNKNOWN, AdviceRule.NEVER_RAN)
    hardly = of(HOLDS, runs=2)
    assert (hardly.verdict, hardly.rule) == (Verdict.UNKNOWN, AdviceRule.FEW_RUNS)
    assert hardly.recommended is None
    assert hardly.cost is None
    assert hardly.confidence == "none"


def test_one_long_run_says_enough() -> None:
    assert of(Nature(gil=2.0), runs=1).verdict is Verdict.HOLDS_GIL


def test_long_is_not_cpu_bound() -> None:
    assert of(Nature(gil=0.01, waiting=60.0)).verdict is Verdict.IO_BOUND


def test_a_misplaced_function_says_what_a_move_gains() -> None:
    advice = of(HOLDS, "io")
    assert advice.is_misplaced
    assert advice.recommended is not None
    assert advice.recommended.pool == "cpu"
    assert advice.cost is not None
    assert advice.cost.present_seconds == pytest.approx(10.0, rel=0.01)  # one GIL
    assert advice.cost.recommended_seconds == pytest.approx(5.0, rel=0.01)  # two CPUs
    assert advice.cost.gain == pytest.approx(2.0, rel=0.01)


def test_waiting_in_processes_costs_as_many_times_as_there_are_fewer_slots() -> None:
    advice = of(Nature(waiting=0.1), "cpu")
    assert advice.is_misplaced
    assert advice.cost is not None
    assert advice.cost.gain == pytest.approx(4.0, rel=0.01)


def test_who_is_in_the_right_kind_of_pool_stays_in_its_pool() -> None:
    pools = (*POOLS, PoolShape("large", PoolKind.PROCESS, 8))
    advice = of(HOLDS, "cpu", pools)
    assert advice.recommended is not None
    assert advice.recommended.pool == "cpu"
    assert not advice.is_misplaced


def test_no_pool_of_the_kind_is_named_where_there_is_none() -> None:
    advice = of(HOLDS, "io", POOLS[:1])
    assert advice.recommended is not None
    assert (advice.recommended.kind, advice.recommended.pool) == ("process", None)
    assert advice.is_misplaced


def test_a_held_gil_belongs_in_a_process_even_on_one_cpu() -> None:
    advice = of(HOLDS, cpus=1)
    assert kind_of(advice) == "process"
    assert advice.is_misplaced  # it keeps the GIL from all that runs beside it


def test_what_releases_the_gil_is_never_called_misplaced_in_threads() -> None:
    for nature in (RELEASES, CHILD, Nature(free=1.0)):
        assert not of(nature, "io").is_misplaced


def test_what_is_too_cheap_is_never_called_misplaced() -> None:
    for pool in ("io", "cpu"):
        assert not of(Nature(gil=0.00002), pool).is_misplaced


def test_what_costs_more_to_hand_over_than_to_run_is_too_cheap() -> None:
    dear = Measurement(run=0.01, cpu=0.01, decode=0.02, arguments_bytes=10_000_000)
    advice = advise(
        "f", "cpu", {PoolKind.PROCESS: after(Profile("f", PoolKind.PROCESS), [dear] * 5)}, POOLS, 2
    )
    assert advice.verdict is Verdict.TOO_CHEAP


def test_many_cpus_make_a_small_share_of_the_gil_the_limit() -> None:
    nature = Nature(gil=0.03, free=0.07)
    assert kind_of(of(nature, cpus=2)) == "thread"
    advice = of(nature, cpus=64, pools=(PoolShape("io", PoolKind.THREAD, 64), *POOLS[1:]))
    assert (kind_of(advice), advice.rule) == ("process", AdviceRule.GIL_LIMITS)
    assert advice.verdict is Verdict.RELEASES_GIL


def test_without_a_probe_what_computes_is_taken_to_hold_the_gil_and_that_is_little_sure() -> None:
    advice = of(RELEASES, is_seen=False)
    assert (advice.verdict, advice.rule) == (Verdict.HOLDS_GIL, AdviceRule.GIL_ASSUMED)
    assert advice.confidence == "low"


def test_without_a_probe_what_waits_by_itself_is_recognised() -> None:
    assert of(WAITS, is_seen=False).verdict is Verdict.IO_BOUND


def test_without_a_probe_company_alone_says_nothing() -> None:
    advice = of(HOLDS, is_seen=False, beside=7)
    assert (advice.verdict, advice.rule) == (Verdict.UNKNOWN, AdviceRule.BLURRED)


def test_without_a_probe_company_that_hardly_computes_blurs_nothing() -> None:
    assert of(WAITS, is_seen=False, beside=7).verdict is Verdict.IO_BOUND


def test_confidence_grows_with_what_is_known() -> None:
    sure = [of(HOLDS, runs=runs).confidence for runs in (2, 4, 5, 20)]
    assert sure == ["none", "low", "medium", "high"]
    assert [of(WAITS, runs=runs, is_seen=False).confidence for runs in (3, 20, 100)] == [
        "low",
        "medium",
        "high",
    ]


def test_what_both_kinds_of_pool_have_seen_is_put_together() -> None:
    few: dict[PoolKind, Profile] = {
        PoolKind.THREAD: profile(HOLDS, runs=2),
        PoolKind.PROCESS: profile(HOLDS, runs=2, kind=PoolKind.PROCESS),
    }
    advice = advise("f", "io", few, POOLS, CPUS)
    assert advice.verdict is Verdict.HOLDS_GIL
    assert advice.numbers.runs == 4


def test_a_function_that_was_changed_is_what_its_latest_runs_say() -> None:
    profiles: dict[PoolKind, Profile] = {
        PoolKind.PROCESS: profile(HOLDS, runs=500, kind=PoolKind.PROCESS, now=NOW),
        PoolKind.THREAD: profile(WAITS, runs=60, now=NOW + 1),
    }
    assert advise("f", "io", profiles, POOLS, CPUS).verdict is Verdict.IO_BOUND


def test_children_that_compute_beside_others_are_not_taken_to_wait() -> None:
    stretched = Measurement(
        run=0.4, cpu=0.001, child_cpu=0.1, child_delayed=0.29, voluntary_switches=2, beside=7
    )
    seen = Nature(gil=0.001, waiting=0.399).observation(8, beside=7)
    known = after(Profile("f", PoolKind.THREAD), [stretched] * 8, [seen])
    advice = advise("f", "io", {PoolKind.THREAD: known}, POOLS, CPUS)
    assert (advice.verdict, advice.rule) == (Verdict.RELEASES_GIL, AdviceRule.CHILDREN)


def among_sleepers(delayed: float = 0.0, cpu: float = 0.1, runs: int = 100) -> Advice:
    """Return the advice on what holds the GIL and has only met six calls that sleep."""
    run = cpu + delayed
    one = Measurement(run=run, cpu=cpu, voluntary_switches=20, beside=6, delayed=delayed)
    seen = Nature(gil=run).observation(runs)
    known = after(Profile("f", PoolKind.THREAD), [one] * runs, [replace(seen, beside=6.0)])
    return advise("f", "io", {PoolKind.THREAD: known}, POOLS, CPUS)


def test_a_loop_beside_sleepers_holds_the_gil_as_it_does_alone() -> None:
    assert among_sleepers().verdict is Verdict.HOLDS_GIL
    assert among_sleepers().numbers.gil_share == pytest.approx(1.0)


def test_what_was_seen_only_in_company_of_others_is_not_known_for_sure() -> None:
    assert of(HOLDS, runs=100, beside=6).confidence == "high"
    assert among_sleepers().confidence == "medium"


def test_what_a_crowd_at_the_cpus_and_company_of_others_have_spoilt_is_little_sure() -> None:
    assert among_sleepers(delayed=0.09).confidence == "medium"
    assert among_sleepers(delayed=0.11).confidence == "low"
    assert of(HOLDS, runs=100, beside=6).confidence == "high"  # beside its like a crowd is usual


@pytest.mark.parametrize(("unclaimed", "confidence"), [(0.15, "high"), (0.25, "low")])
def test_who_may_wait_for_threads_that_compute_for_it_is_little_sure_to_wait(
    unclaimed: float, confidence: str
) -> None:
    runs = 100
    seen = replace(WAITS.observation(runs, beside=2), unclaimed_cpu=unclaimed * runs * WAITS.alone)
    known = after(Profile("f", PoolKind.THREAD), [WAITS.measurement(beside=2)] * runs, [seen])
    advice = advise("f", "io", {PoolKind.THREAD: known}, POOLS, CPUS)
    assert (advice.verdict, advice.confidence) == (Verdict.IO_BOUND, confidence)


@pytest.mark.parametrize(
    ("gil", "runs", "confidence"), [(0.055, 5, "low"), (0.055, 100, "high"), (0.09, 5, "medium")]
)
def test_looks_that_may_have_found_the_gil_held_by_chance_are_little_sure(
    gil: float, runs: int, confidence: str
) -> None:
    assert of(Nature(gil=gil, free=0.1 - gil), runs=runs).confidence == confidence


def asking_for_memory(
    on: float | None, *, pool: str = "io", faults_per_second: float = 100_000, cpus: int = CPUS
) -> Advice:
    """Return the advice on what computes without the GIL on memory that it has to ask for.

    Of six in one process so many got `on` at a time; None: it ran by itself.
    """
    kind, calls, cpu = next(shape.kind for shape in POOLS if shape.name == pool), 6, 0.1
    run = cpu if on is None else cpu * calls / on
    one = Measurement(
        run=run,
        cpu=cpu,
        page_faults=round(cpu * faults_per_second),
        voluntary_switches=9,
        beside=0 if on is None else calls - 1,
        overlap=0.0 if on is None else run * (1 - 1 / calls),
        delayed=0.0,
    )
    seen = Nature(free=cpu).observation(100, beside=one.beside)
    seen = replace(seen, free=100 * run, delayed=0.0)
    known = after(Profile("f", kind), [one] * 100, [seen])
    return advise("f", pool, {kind: known}, POOLS, cpus)


def test_threads_that_share_their_memory_are_not_recommended_for_sure() -> None:
    alone, side_by_side = asking_for_memory(None), asking_for_memory(2.6)
    assert (kind_of(alone), alone.confidence) == ("thread", "low")
    assert (kind_of(side_by_side), side_by_side.confidence) == ("thread", "low")


def test_what_takes_turns_for_memory_belongs_in_processes() -> None:
    advice = asking_for_memory(0.9)
    assert advice.verdict is Verdict.RELEASES_GIL
    assert (kind_of(advice), advice.rule) == ("process", AdviceRule.MEMORY_LIMITS)
    assert advice.is_misplaced
    assert advice.cost is not None
    assert advice.cost.gain == pytest.approx(2 / 0.9, rel=0.05)


def test_threads_that_leave_a_cpu_idle_now_and_then_take_turns() -> None:
    advice = asking_for_memory(2.4)
    assert (kind_of(advice), advice.rule) == ("process", AdviceRule.MEMORY_LIMITS)
    assert advice.is_misplaced
    assert advice.cost is not None
    assert advice.cost.gain == pytest.approx(1.0)


def test_who_hardly_asks_for_memory_is_not_suspected_of_taking_turns_for_it() -> None:
    advice = asking_for_memory(None, faults_per_second=39_000)
    assert (kind_of(advice), advice.confidence) == ("thread", "high")


def test_in_processes_nobody_takes_turns_for_memory() -> None:
    assert asking_for_memory(None, pool="cpu").confidence == "low"  # as threads may be slower
    assert not asking_for_memory(None, pool="cpu").is_misplaced


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_what_a_function_is_does_not_depend_on_how_many_threads_a_library_starts(
    helpers: int,
) -> None:
    threads = 1 + helpers
    one = Measurement(run=0.4 / threads, cpu=0.4 / threads, helper_cpu=0.4 * helpers / threads)
    known = after(
        Profile("f", PoolKind.PROCESS), [one] * 20, [Nature(free=one.cpu).observation(20)]
    )
    advice = advise("f", "cpu", {PoolKind.PROCESS: known}, POOLS, CPUS)
    assert (advice.verdict, kind_of(advice)) == (Verdict.RELEASES_GIL, "thread")
    assert advice.numbers.threads == pytest.approx(threads)

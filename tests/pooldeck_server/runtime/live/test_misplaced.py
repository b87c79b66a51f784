"""Functions that would do better elsewhere: when that is said above every page."""

from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement
from pooldeck.risks import Risk, RiskKind
from pooldeck_server.advice import Advice, PoolShape, Recommendation, RunCostNumbers, advise
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.notices import Need
from pooldeck_server.runtime.live.misplaced import MisplacedFunctions, of_advice

POOLS = (PoolShape("io", PoolKind.THREAD, 32), PoolShape("cpu", PoolKind.PROCESS, 2))


def waiting(function: str, runs: int = 30, seconds: float = 0.1) -> Advice:
    """Return the advice on a function that only waits, and runs in processes."""
    run = Measurement(run=seconds, cpu=0.0, decode=0.0, encode=0.0, voluntary_switches=1)
    profile = Profile(function, PoolKind.PROCESS).after([run] * runs, [], runs=runs, now=1)
    return advise(function, "cpu", {PoolKind.PROCESS: profile}, POOLS, cpus=2)


def gaining(advice: Advice, times: float) -> Advice:
    return replace(advice, cost=RunCostNumbers(100, times, 1.0))


def test_one_function_is_named_with_the_pool_that_it_would_do_better_in() -> None:
    (notice,) = of_advice([waiting("acme.fetch")])
    assert (notice.need, notice.function) == (Need.MISPLACED, "acme.fetch")
    assert (notice.pool, notice.target) == ("cpu", "io")
    assert notice.gain is not None
    assert 10 < notice.gain <= 16


def test_what_is_seen_in_its_code_against_a_move_is_counted_by_where_it_would_go() -> None:
    risks = (Risk(RiskKind.DIRECTORY, "os.chdir", 3, "f"), Risk(RiskKind.WRITES, "n", 4, "f"))
    to_threads = replace(waiting("acme.f"), risks=risks)
    to_processes = replace(to_threads, recommended=Recommendation(PoolKind.PROCESS, "cpu"))
    counted = [notice.risks for each in (to_threads, to_processes) for notice in of_advice([each])]
    assert counted == [2, 1]


def test_several_are_counted_and_the_largest_gain_is_said() -> None:
    first, second = waiting("a"), waiting("b")
    (notice,) = of_advice([gaining(first, 2.0), gaining(second, 7.0), gaining(second, 3.0)])
    assert (notice.number, notice.function, notice.gain) == (3, None, 7.0)


def test_a_small_gain_and_a_doubtful_one_are_not_announced() -> None:
    sure, doubtful = waiting("a"), waiting("b", runs=3)
    assert doubtful.confidence == "low"
    assert list(of_advice([gaining(sure, 1.4), doubtful])) == []
    assert list(of_advice([])) == []


def test_it_is_looked_at_only_now_and_then() -> None:
    clock = ManualClock()
    looks = []

    def look() -> list[Advice]:
        looks.append(clock.monotonic())
        return [waiting("a")] if len(looks) > 1 else []

    misplaced = MisplacedFunctions(clock=clock, advised=look)
    for _ in range(50):
        assert misplaced.notices() == ()
    assert len(looks) == 1
    clock.advance(11)
    assert [each.function for each in misplaced.notices()] == ["a"]
    assert len(looks) == 2

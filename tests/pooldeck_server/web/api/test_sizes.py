"""How large a pool should be: over HTTP, and in words."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.advice.sizes import size_advice
from pooldeck_server.domain.pools.loads import LoadWindow, Passed, PoolLoad
from pooldeck_server.domain.pools.sizes import (
    CpuPressure,
    FunctionCost,
    Machine,
    SizeAdvice,
    SizedPool,
    SizeOrigin,
    SizeRule,
)
from pooldeck_server.web.text.sizes import size_sentences, size_verdict
from tests.support.served import Served, served

BUSY = Machine(cpus=2, affinity=2, pressure=CpuPressure(0.5, 0.5, 0.5))
CALM = Machine(cpus=2, affinity=2)
WAITS = FunctionCost(alone=0.1, cpu=0.01, gil=0.001, wall=0.1)
COMPUTES = FunctionCost(alone=0.1, cpu=0.1, gil=0.1, wall=0.1)
HASHES = replace(COMPUTES, gil=0.001)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own: what others run would be judged here."""
    with served(tmp_path_factory.mktemp("sizes")) as running:
        yield running


def advice(
    kind: str,
    size: int,
    per_second: int,
    cost: FunctionCost | None,
    machine: Machine = CALM,
    *,
    is_on_hosts: bool = False,
) -> SizeAdvice:
    passed = Passed("acme.f", 300 * per_second, 300 * per_second)
    window = LoadWindow(300, 0.0, size, size, 0.0, 0.0, 0.0, (passed,))
    pool = SizedPool(
        "p",
        PoolKind(kind),
        size,
        SizeOrigin("setting", size),
        PoolLoad((window,)),
        cost,
        is_on_hosts=is_on_hosts,
    )
    return size_advice(pool, machine, [pool])


ADVICE = {
    SizeRule.NOTHING_RAN: advice("thread", 4, 0, None),
    SizeRule.LOAD_FITS: advice("thread", 8, 10, WAITS),
    SizeRule.LOAD_NEEDS_MORE: advice("thread", 4, 100, WAITS),
    SizeRule.MACHINE_FULL: advice("process", 2, 100, COMPUTES),
    SizeRule.PRESSURE: advice("thread", 4, 100, WAITS, BUSY),
    SizeRule.THROTTLED: advice("thread", 8, 10, replace(WAITS, throttled=0.5)),
    SizeRule.OVER_CPUS: advice("process", 5, 10, COMPUTES),
    SizeRule.CROWDED: advice("thread", 8, 10, HASHES),
    SizeRule.ON_HOSTS: advice("process", 2, 10, COMPUTES, is_on_hosts=True),
}


@pytest.mark.parametrize("rule", SizeRule)
def test_every_rule_says_what_to_do(rule: SizeRule) -> None:
    found = ADVICE[rule]
    assert found.rule is rule
    sentences = size_sentences(found)
    assert sentences[0] == size_verdict(found)
    assert all(sentence.endswith(".") for sentence in sentences)
    if found.recommended is not None and rule is not SizeRule.OVER_CPUS:
        assert f"{found.recommended} slot" in sentences[0]


def test_what_is_expected_of_a_larger_pool_is_said() -> None:
    sentences = size_sentences(ADVICE[SizeRule.LOAD_NEEDS_MORE])
    assert sentences[1].startswith("Expected: up to 150 tasks a second instead of 40, and a mean")
    assert "here 2 times (1 + 9): 20 threads." in sentences[3]


def test_the_most_that_is_advised_does_not_pass_for_the_outcome_of_a_sum() -> None:
    hardly = FunctionCost(alone=1.0, cpu=0.001, gil=0.001, wall=1.0)
    told = " ".join(size_sentences(advice("thread", 8, 1, hardly)))
    assert "here 2 times (1 + 999): 200 threads or more, and more are never advised." in told


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (SizeRule.THROTTLED, "about as many answers, and fewer"),
        (SizeRule.OVER_CPUS, "still up to 20 tasks a second"),
        (SizeRule.CROWDED, "still up to 20 tasks a second"),
    ],
)
def test_what_is_expected_of_a_smaller_pool_is_said(rule: SizeRule, words: str) -> None:
    assert words in size_sentences(ADVICE[rule])[1]


def test_threads_that_compute_are_sent_to_processes() -> None:
    assert "processes would serve them" in " ".join(
        size_sentences(advice("thread", 2, 100, COMPUTES))
    )
    assert "processes would serve them" not in " ".join(size_sentences(ADVICE[SizeRule.CROWDED]))


def test_what_waits_in_processes_is_sent_to_threads() -> None:
    assert "a thread pool would let more of them wait" in " ".join(
        size_sentences(advice("process", 2, 10, WAITS))
    )


def test_threads_of_libraries_that_do_not_fit_the_cpus_are_told_with_their_setting() -> None:
    words = " ".join(size_sentences(advice("process", 2, 10, replace(HASHES, threads=2.0))))
    assert "computes on 2 threads at once, and its processes share 2 CPUs" in words
    assert "set threads_per_task of the pool to 1, or OMP_NUM_THREADS" in words
    assert "threads_per_task" not in " ".join(size_sentences(ADVICE[SizeRule.LOAD_FITS]))


def test_all_that_computes_is_set_against_the_cpus() -> None:
    words = " ".join(size_sentences(ADVICE[SizeRule.OVER_CPUS]))
    assert "All pools together may compute on 5 slots at once, with 2 CPUs." in words


def test_a_pool_in_which_nothing_ran_is_not_judged(server: Served) -> None:
    found = server.http.get("/api/v1/pools/solo/advice").json()
    assert (found["pool"], found["kind"], found["size"]) == ("solo", "process", 1)
    assert found["origin"] == {"source": "setting", "configured": 1}
    assert (found["verdict"], found["recommended"]) == ("unknown", None)
    assert found["sentences"][0].startswith("Cannot say yet")
    assert found["machine"]["cpus"] >= 1


def test_there_is_no_advice_on_a_pool_that_does_not_exist(server: Served) -> None:
    response = server.http.get("/api/v1/pools/sea/advice")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_pool_of_the_wrong_size_is_among_what_should_change(server: Served) -> None:
    def wrong() -> list[dict[str, Any]]:
        pools: list[dict[str, Any]] = server.http.get("/api/v1/advice").json()["pools"]
        return pools

    assert wrong() == []
    size = server.http.get("/api/v1/pools/solo/advice").json()["machine"]["cpus"] + 1
    server.http.patch("/api/v1/pools/solo", json={"size": size}).raise_for_status()
    try:
        (found,) = wrong()
        assert (found["pool"], found["rule"], found["recommended"]) == (
            "solo",
            "over_cpus",
            size - 1,
        )
    finally:
        server.http.patch("/api/v1/pools/solo", json={"size": 1}).raise_for_status()

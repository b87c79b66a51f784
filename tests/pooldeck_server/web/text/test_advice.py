"""Advice in words: every rule and every verdict has some, and they tell what is so."""

import msgspec
import pytest

from pooldeck.kinds import PoolKind
from pooldeck_server.advice import (
    Advice,
    AdviceRule,
    Numbers,
    Recommendation,
    RunCostNumbers,
    Verdict,
)
from pooldeck_server.web.text.advice import (
    confidence_words,
    sentences,
    verdict_words,
)
from pooldeck_server.web.text.i18n import in_english, speaking

NUMBERS = Numbers(
    runs=40.0,
    runs_ever=1200,
    looks=80.0,
    looks_at_work=70.0,
    observed_seconds=4.0,
    is_blurred=False,
    wall=0.1,
    cpu=0.09,
    waiting=0.01,
    gil=0.08,
    child_cpu=0.0,
    helper_cpu=0.0,
    decode=0.0,
    encode=0.0,
    arguments_bytes=10.0,
    result_bytes=10.0,
    voluntary_switches=1.0,
    involuntary_switches=1.0,
    memory_growth_bytes=None,
    spread=0.1,
    trend=1.0,
    beside=0.0,
    throttled=0.0,
    throttled_seconds=0.0,
)
MISPLACED = Advice(
    function="jobs.f",
    pool="io",
    kind=PoolKind.THREAD,
    verdict=Verdict.HOLDS_GIL,
    rule=AdviceRule.GIL_HELD,
    recommended=Recommendation(PoolKind.PROCESS, "cpu"),
    is_misplaced=True,
    confidence="high",
    numbers=NUMBERS,
    cost=RunCostNumbers(100, 9.0, 4.5),
)


def changed(advice: Advice = MISPLACED, numbers: Numbers = NUMBERS, **changes: object) -> Advice:
    return msgspec.structs.replace(advice, numbers=numbers, **changes)


@pytest.mark.parametrize("rule", AdviceRule)
def test_every_rule_has_its_sentence(rule: AdviceRule) -> None:
    first, *_ = sentences(changed(rule=rule))
    assert first.endswith(".")
    assert "%(" not in first


def test_no_two_rules_say_the_same() -> None:
    assert len({sentences(changed(rule=rule))[0] for rule in AdviceRule}) == len(AdviceRule)


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_name(verdict: Verdict) -> None:
    assert verdict_words(verdict)


def test_a_move_is_told_with_its_place_its_cost_and_its_gain() -> None:
    text = " ".join(sentences(MISPLACED))
    assert "It belongs in a process pool, such as cpu." in text
    assert "100 calls take about 9.0 s in io, and would take about 4.5 s: 2 times as fast." in text
    assert "Measured over 1,200 runs." in text


def test_a_move_that_helps_only_others_says_so() -> None:
    text = " ".join(sentences(changed(cost=RunCostNumbers(100, 9.0, 9.0))))
    assert "It keeps the GIL from whatever else runs in io." in text
    assert "times as fast" not in text


def test_a_move_to_threads_says_what_measurements_do_not_tell() -> None:
    to_threads = changed(
        pool="cpu", kind="process", recommended=Recommendation(PoolKind.THREAD, "io")
    )
    assert "do not tell whether it works there" in " ".join(sentences(to_threads))
    assert "do not tell" not in " ".join(sentences(MISPLACED))


def test_a_kind_that_is_missing_is_said_to_be_missing() -> None:
    text = " ".join(sentences(changed(recommended=Recommendation(PoolKind.PROCESS, None))))
    assert "It belongs in a process pool, of which there is none." in text


def test_who_is_well_placed_is_told_so() -> None:
    well = changed(
        pool="cpu",
        kind="process",
        recommended=Recommendation(PoolKind.PROCESS, "cpu"),
        is_misplaced=False,
    )
    assert "It is in the right kind of pool." in sentences(well)


def test_another_kind_without_a_gain_is_no_reason_to_move() -> None:
    idle = changed(
        kind="process",
        verdict=Verdict.IO_BOUND,
        rule=AdviceRule.WAITS,
        recommended=Recommendation(PoolKind.THREAD, "io"),
        is_misplaced=False,
    )
    assert "A thread pool would do as well and cost less." in sentences(idle)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("throttled", 2.0, "throttles"),
        ("spread", 3.0, "differ a lot"),
        ("trend", 2.0, "took longer"),
        ("trend", 0.5, "took less time"),
    ],
)
def test_what_is_odd_is_said(field: str, value: float, words: str) -> None:
    odd = msgspec.structs.replace(NUMBERS, **{field: value})
    assert words in sentences(changed(numbers=odd))[-1]
    assert words not in " ".join(sentences(MISPLACED))


def test_what_threads_share_beside_the_gil_is_said_where_it_may_matter() -> None:
    free = changed(rule=AdviceRule.GIL_RELEASED, verdict=Verdict.RELEASES_GIL)
    asking = msgspec.structs.replace(NUMBERS, page_faults=9_000.0)
    assert "memory" not in " ".join(sentences(free))
    assert "asks the system for memory 100,000 times for each second of computing" in " ".join(
        sentences(msgspec.structs.replace(free, numbers=asking))
    )


def test_the_api_speaks_english_whoever_asks() -> None:
    with speaking("zh-Hans"):
        assert in_english(sentences, MISPLACED) == sentences_in_english()


def sentences_in_english() -> list[str]:
    with speaking("en"):
        return sentences(MISPLACED)


def test_confidence_is_told_in_words() -> None:
    assert confidence_words(MISPLACED) == "high confidence"

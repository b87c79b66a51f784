"""Risks in words: every kind has some, and they tell what is so of the pool in question."""

import pytest
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk, RiskKind
from pooldeck_server.advice import Recommendation
from pooldeck_server.web.text.risks import risk_words, seen_risks
from tests.pooldeck_server.web.text.test_advice import MISPLACED

STAYS = replace(MISPLACED, is_misplaced=False)
TO_THREADS = replace(
    MISPLACED,
    pool="cpu",
    kind=PoolKind.PROCESS,
    recommended=Recommendation(PoolKind.THREAD, "io"),
)
COUNTER = Risk(RiskKind.WRITES, "count", 7, "f")
FOLDER = Risk(RiskKind.DIRECTORY, "os.chdir", 3, "enter")


@pytest.mark.parametrize("kind", RiskKind)
def test_every_kind_has_words_that_name_what_is_seen_and_where(kind: RiskKind) -> None:
    risk = Risk(kind, "what.it_is", 12, "f", "Connection")
    (item,) = seen_risks([risk], PoolKind.THREAD, "jobs.f").items
    assert "what.it_is" in item
    assert "line 12" in item
    assert ("Connection" in item) is (kind is RiskKind.STATE)


def test_a_helper_is_named() -> None:
    words = seen_risks([FOLDER, COUNTER], PoolKind.THREAD, "jobs.f")
    assert "(line 3, in enter)" in words.items[0]
    assert "(line 7)" in words.items[1]


def test_what_is_said_is_of_the_kind_of_pool_that_it_would_go_to() -> None:
    to_processes = risk_words(replace(MISPLACED, risks=(FOLDER, COUNTER)))
    assert to_processes is not None
    assert "a counter gives one number several times" in to_processes.sentence
    assert len(to_processes.items) == 1
    to_threads = risk_words(replace(TO_THREADS, risks=(FOLDER, COUNTER)))
    assert to_threads is not None
    assert "may get at each other's data without any error" in to_threads.sentence
    assert len(to_threads.items) == 2


def test_nothing_seen_proves_nothing_and_what_cannot_be_read_is_not_known() -> None:
    nothing = risk_words(replace(TO_THREADS, risks=()))
    assert nothing is not None
    assert "does not prove that there is nothing" in nothing.sentence
    unread = risk_words(replace(TO_THREADS, risks=None))
    assert unread is not None
    assert "is not known" in unread.sentence


def test_where_it_stays_only_what_is_seen_is_said() -> None:
    assert risk_words(replace(STAYS, risks=())) is None
    assert risk_words(replace(STAYS, risks=None)) is None
    assert risk_words(replace(STAYS, risks=(FOLDER,))) is not None

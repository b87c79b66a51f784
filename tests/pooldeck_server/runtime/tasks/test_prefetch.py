"""How far claims run ahead: as far as slots get through while claims are on their way."""

import pytest

from pooldeck_server.runtime.tasks.prefetch import Prefetch

CLAIM = 0.01  # seconds
SLOTS = 4


def lead() -> Prefetch:
    """Return a lead that has seen many claims of the same length."""
    found = Prefetch()
    for _ in range(200):
        found.add_claim(CLAIM)
    return found


def test_claims_are_ahead_by_what_the_slots_get_through_during_two_of_them() -> None:
    assert lead().most(SLOTS) == pytest.approx(2 * CLAIM * SLOTS)
    assert lead().left(SLOTS, claimed=0.0) == pytest.approx(2 * CLAIM * SLOTS)


def test_a_pool_that_runs_nothing_has_nothing_claimed_ahead() -> None:
    assert lead().left(0, claimed=0.0) == 0.0
    assert not lead().has_time_for(0.001, 0, claimed=0.0)


def test_a_claim_is_not_made_before_half_of_the_lead_is_used_up() -> None:
    half = CLAIM * SLOTS
    assert lead().left(SLOTS, claimed=1.1 * half) == 0.0
    assert lead().left(SLOTS, claimed=0.9 * half) == pytest.approx(1.1 * half)


def test_the_lead_follows_how_long_claims_take() -> None:
    found = lead()
    for _ in range(50):
        found.add_claim(10 * CLAIM)
    assert found.most(SLOTS) == pytest.approx(20 * CLAIM * SLOTS, rel=0.01)


def test_what_is_stored_and_claimed_at_once_leaves_room_for_what_is_on_its_way() -> None:
    found, quarter = lead(), CLAIM * SLOTS / 2
    assert found.has_time_for(quarter, SLOTS, claimed=2.9 * quarter)
    assert not found.has_time_for(quarter, SLOTS, claimed=3.1 * quarter)
    found.claiming = quarter
    assert found.has_time_for(quarter, SLOTS, claimed=1.9 * quarter)
    assert not found.has_time_for(quarter, SLOTS, claimed=2.1 * quarter)
    found.reserved = 1
    assert found.has_time_for(quarter, SLOTS, claimed=0.9 * quarter)
    assert not found.has_time_for(quarter, SLOTS, claimed=1.1 * quarter)


def test_a_lead_that_was_too_much_is_halved_and_grows_again_with_each_claim() -> None:
    found = lead()
    most = found.most(SLOTS)
    found.cut()
    assert found.most(SLOTS) == pytest.approx(most / 2)
    found.add_claim(CLAIM)
    assert most / 2 < found.most(SLOTS) < most
    for _ in range(100):
        found.add_claim(CLAIM)
    assert found.most(SLOTS) == pytest.approx(most)

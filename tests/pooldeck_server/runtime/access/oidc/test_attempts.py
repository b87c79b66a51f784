"""Logins on their way: whose they are, how long they count, and how often."""

import pytest

from pooldeck_server.domain.clock import SECOND, ManualClock
from pooldeck_server.domain.logins import ATTEMPT_SECONDS, LoginFailed
from pooldeck_server.runtime.access.oidc.attempts import LoginAttempts, cookie_of


def test_what_a_browser_keeps_leads_back_to_its_login() -> None:
    attempts = LoginAttempts(ManualClock())
    attempt, kept = attempts.begin("/tasks?tag=ä&x=1.2")
    assert attempts.take(attempt.state, kept) == attempt
    assert attempt.next == "/tasks?tag=ä&x=1.2"
    assert 43 <= len(attempt.verifier) <= 128
    assert attempt.nonce not in kept
    assert attempt.verifier not in kept


def test_no_two_logins_are_alike() -> None:
    attempts = LoginAttempts(ManualClock())
    one, other = (attempts.begin("/")[0] for _ in range(2))
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}
    assert cookie_of(one.state) != cookie_of(other.state)


def test_a_login_counts_once_and_ten_minutes() -> None:
    clock = ManualClock()
    attempts = LoginAttempts(clock)
    attempt, kept = attempts.begin("/")
    late, kept_late = attempts.begin("/")
    clock.wall += ATTEMPT_SECONDS * SECOND
    attempts.take(attempt.state, kept)
    with pytest.raises(LoginFailed, match="used before"):
        attempts.take(attempt.state, kept)
    clock.wall += 1
    with pytest.raises(LoginFailed, match="too long ago"):
        attempts.take(late.state, kept_late)


def test_a_login_is_bound_to_its_state_and_to_this_run() -> None:
    attempts = LoginAttempts(ManualClock())
    (one, kept), (other, _) = attempts.begin("/"), attempts.begin("/")
    for state in (other.state, "", one.state + "x"):
        with pytest.raises(LoginFailed, match="has not begun"):
            attempts.take(state, kept)
    with pytest.raises(LoginFailed):
        LoginAttempts(ManualClock()).take(one.state, kept)


@pytest.mark.parametrize("kept", ["", ".", "....", "a.1.Lw.", "ä.1.Lw.x", "\udcff"])
def test_what_was_never_given_to_a_browser_is_no_login(kept: str) -> None:
    with pytest.raises(LoginFailed):
        LoginAttempts(ManualClock()).take("x", kept)


def test_a_place_that_is_too_long_for_a_cookie_is_left_out() -> None:
    attempt, kept = LoginAttempts(ManualClock()).begin("/" + "x" * 1000)
    assert attempt.next == "/"
    assert len(kept) < 200

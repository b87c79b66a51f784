"""When the server runs a task again by itself, and what a task keeps of its options."""

import pytest

from pooldeck.functions import RunOptions
from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.tasks.changes import End, Rerun
from pooldeck_server.domain.tasks.reruns import CRASH_RERUNS, LONGEST_PAUSE, rerun_at
from pooldeck_server.domain.tasks.states import State

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
FAILED = (ErrorKind.EXCEPTION, ErrorKind.TIMEOUT)
CUT_OFF = (ErrorKind.CRASHED, ErrorKind.BYSTANDER, ErrorKind.INTERRUPTED, ErrorKind.HOST_LOST)


def pause(options: RunOptions, reruns: int, jitter: float = 1.0) -> float:
    """Return the seconds before a task that raised is run again."""
    at = rerun_at(options, reruns, ErrorKind.EXCEPTION, NOW, jitter)
    assert at is not None
    return (at - NOW) / SECOND


def times(options: RunOptions, kind: ErrorKind) -> int:
    """Return how often a task that always ends in that way is run again."""
    reruns = 0
    while rerun_at(options, reruns, kind, NOW, 1.0) is not None:
        reruns += 1
        assert reruns < 100
    return reruns


@pytest.mark.parametrize("kind", FAILED)
@pytest.mark.parametrize("idempotent", [False, True])
def test_exceptions_and_timeouts_are_tried_again_as_often_as_asked(
    kind: ErrorKind, *, idempotent: bool
) -> None:
    assert [times(RunOptions(retries=n, idempotent=idempotent), kind) for n in (0, 1, 5)] == [
        0,
        1,
        5,
    ]


@pytest.mark.parametrize("kind", CUT_OFF)
def test_what_was_cut_off_is_run_again_only_if_it_is_idempotent(kind: ErrorKind) -> None:
    assert times(RunOptions(retries=50), kind) == 0
    assert times(RunOptions(idempotent=True), kind) == CRASH_RERUNS
    assert times(RunOptions(idempotent=True, retries=5), kind) == 5
    assert rerun_at(RunOptions(idempotent=True), 0, kind, NOW, 0.5) == NOW


@pytest.mark.parametrize("kind", sorted(set(ErrorKind) - {*FAILED, *CUT_OFF}))
def test_what_would_fail_again_or_was_ended_on_request_is_not_run_again(kind: ErrorKind) -> None:
    assert times(RunOptions(retries=5, idempotent=True), kind) == 0


def test_crashes_use_up_the_retries_too() -> None:
    options = RunOptions(retries=1, idempotent=True)
    assert rerun_at(options, 1, ErrorKind.EXCEPTION, NOW, 1.0) is None


def test_pauses_double_up_to_ten_minutes_and_jitter_shortens_them() -> None:
    options = RunOptions(retries=10_000, backoff=3.0)
    assert [pause(options, reruns) for reruns in range(4)] == [3.0, 6.0, 12.0, 24.0]
    assert pause(options, 1, jitter=0.5) == 3.0
    assert pause(options, 9_999) == LONGEST_PAUSE == 600.0
    assert pause(RunOptions(retries=1, backoff=1e308), 0) == LONGEST_PAUSE
    assert pause(RunOptions(retries=1, backoff=0.0), 0) == 0.0


def test_a_task_keeps_of_its_options_what_is_no_default() -> None:
    assert RunOptions().to_json() is None
    assert RunOptions.from_json(None) == RunOptions()
    assert RunOptions(retries=2).to_json() == '{"retries":2}'
    every = RunOptions(timeout=0.5, retries=1, backoff=9.0, idempotent=True)
    assert RunOptions.from_json(every.to_json()) == every


@pytest.mark.parametrize(("pause", "state"), [(0, State.QUEUED), (1, State.SCHEDULED)])
def test_a_rerun_waits_on_the_schedule_only_where_it_pauses(pause: int, state: State) -> None:
    rerun = Rerun(End(7, 2, State.FAILED, NOW), NOW + pause)
    assert (rerun.seq, rerun.attempt, rerun.state) == (7, 2, state)

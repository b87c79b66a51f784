"""Which failures of a function are due to a move: those of a kind that it had nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.clock import HOUR, MINUTE
from pooldeck_server.domain.failures.after_moves import Failure
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.tasks.changes import End, Rerun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

MOVED_AT = 1_700_000_000_000_000 // HOUR * HOUR + 30 * MINUTE
FUNCTION = "jobs.add"
STARTED = Placement("cpu", PlacementRule.PLAIN)
MOVED = Placement("io", PlacementRule.BY_HAND, since=MOVED_AT, before="cpu")
NO = Error(ErrorKind.EXCEPTION, "ValueError", "no")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as opened_store:
        yield opened_store


def end_of(task: NewTask, error: Error, at: int) -> End:
    return End(
        task.seq,
        1,
        State.FAILED,
        at,
        started_at=at,
        error_kind=error.kind,
        error=msgspec.json.encode(error).decode(),
        error_group=group_of(error, task.function).id,
    )


def fail(
    store: Store,
    error: Error = NO,
    placement: Placement | None = MOVED,
    at: int = MOVED_AT + MINUTE,
    function: str = FUNCTION,
    *,
    again: bool = False,
) -> Failure:
    """Let a task fail that was placed so (None: its pool was named), for good or to run again."""
    pool, placed = ("io", None) if placement is None else (placement.pool, placement.to_json())
    task = store.running(function=function, pool=pool, placed=placed)
    end = end_of(task, error, at)
    if again:
        store.write(records.rerun, [Rerun(end, at + HOUR)])
    else:
        store.write(records.end, [end])
    return Failure(function, task.id, error.kind, end.error_group or "")


def new_error(store: Store, failure: Failure) -> str | None:
    return store.read(queries.new_error, failure, MOVED)


def test_the_first_failure_of_its_kind_after_a_move_is_new_and_says_what_it_is(
    store: Store,
) -> None:
    assert new_error(store, fail(store)) == "ValueError: no"
    assert new_error(store, fail(store)) == "ValueError: no"  # nobody has looked at the first
    assert new_error(store, fail(store, again=True)) == "ValueError: no"


@pytest.mark.parametrize("minutes", [-1, -31, -60 * 24 * 40], ids=["same hour", "before", "long"])
@pytest.mark.parametrize("again", [False, True], ids=["for good", "then run again"])
def test_what_it_had_before_the_move_is_not_new(store: Store, minutes: int, *, again: bool) -> None:
    fail(store, placement=STARTED, at=MOVED_AT + minutes * MINUTE, again=again)
    assert new_error(store, fail(store)) is None


def test_what_it_has_elsewhere_after_the_move_is_not_due_to_it(store: Store) -> None:
    failure = fail(store)
    fail(store, placement=STARTED, at=MOVED_AT + 2 * MINUTE)
    assert new_error(store, failure) is None


def test_what_ran_where_its_submission_said_tells_nothing_of_the_move(store: Store) -> None:
    named = fail(store, placement=None)
    assert new_error(store, named) is None
    assert new_error(store, fail(store)) is None  # it happens there without the move too


def test_what_another_function_had_is_new_for_this_one(store: Store) -> None:
    error = Error(ErrorKind.EXCEPTION, "ValueError", "no", traceback='File "a.py", line 1, in f')
    fail(store, error, STARTED, MOVED_AT - HOUR, function="jobs.other")
    assert new_error(store, fail(store, error)) == "ValueError: no"


def test_another_error_of_the_same_function_is_new(store: Store) -> None:
    fail(store, placement=STARTED, at=MOVED_AT - HOUR)
    other = Error(ErrorKind.EXCEPTION, "KeyError", "sea")
    assert new_error(store, fail(store, other)) == "KeyError: sea"


def test_what_is_no_exception_is_compared_by_its_kind_alone(store: Store) -> None:
    before = Error(ErrorKind.TIMEOUT, "TimeoutError", "killed after 3 s")
    after = Error(ErrorKind.TIMEOUT, "TimeoutError", "abandoned: its thread runs on")
    crash = Error(ErrorKind.CRASHED, "WorkerDied", "killed by SIGSEGV")
    fail(store, before, STARTED, MOVED_AT - MINUTE)
    assert new_error(store, fail(store, after)) is None
    assert new_error(store, fail(store, crash)) == "WorkerDied: killed by SIGSEGV"


def test_after_a_restart_each_kind_of_failure_under_a_move_is_found_once(store: Store) -> None:
    first = fail(store)
    fail(store)
    crash = fail(store, Error(ErrorKind.CRASHED, "WorkerDied", "killed by SIGSEGV"))
    fail(store, Error(ErrorKind.BAD_ARGUMENTS, "TypeError", "no"))  # its caller's
    fail(store, placement=STARTED)
    fail(store, placement=None)
    fail(store, function="jobs.other")
    found = store.read(queries.failures_of_move, FUNCTION, MOVED)
    assert sorted(found, key=lambda each: each.task) == [first, crash]

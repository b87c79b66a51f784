"""Failures counted in groups: all of them, once each, and what becomes of the groups."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.clock import HOUR
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.failures.error_groups import (
    FunctionCount,
    GroupChange,
    GroupFilter,
    GroupSort,
    GroupState,
    StoredErrorGroup,
    group_of,
)
from pooldeck_server.domain.tasks.changes import Claim, End, Rerun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.tasks.left_in_hand import what_becomes
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
FUNCTION = "jobs.add"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as opened_store:
        yield opened_store


def failed(task: NewTask, message: str = "no", at: int = NOW, attempt: int = 1) -> End:
    error = Error(ErrorKind.EXCEPTION, "ValueError", message)
    return End(
        task.seq,
        attempt,
        State.FAILED,
        at,
        started_at=at,
        error_kind="exception",
        error=msgspec.json.encode(error).decode(),
        error_group=group_of(error, task.function).id,
    )


def fail(store: Store, message: str = "no", at: int = NOW, function: str = FUNCTION) -> NewTask:
    """Let a task fail, and return it."""
    task = store.running(function=function)
    assert store.write(records.end, [failed(task, message, at)])
    return task


def listed(store: Store, now: int = NOW, **wanted: object) -> list[str]:
    """Return the messages of the groups on the first page of a list."""
    wish = msgspec.convert(wanted, GroupFilter)
    return [each.group.message for each in store.read(queries.error_groups, wish, now).items]


def only(store: Store) -> StoredErrorGroup:
    """Return the only group that there is."""
    (report,) = store.read(queries.error_groups, GroupFilter(), NOW).items
    return report.group


def change(store: Store, change: GroupChange, at: int) -> bool:
    return store.write(records.change_error_group, only(store).id, change, at)


def test_every_failure_is_counted_once_with_its_times_and_its_last_task(store: Store) -> None:
    tasks = [store.running() for _ in range(3)]
    ends = [failed(task, f"row {task.seq} is bad", NOW + task.seq) for task in tasks]
    store.write(records.end, ends[:2])
    store.write(records.end, ends)  # told twice

    group = only(store)
    assert (group.n, group.state, group.changed_at) == (3, GroupState.OPEN, None)
    assert (group.kind, group.type, group.place) == ("exception", "ValueError", FUNCTION)
    assert group.message == "row # is bad"
    assert (group.first_seen, group.last_seen) == (NOW + 1, NOW + 3)
    assert group.last_task == tasks[2].id
    assert {store.task(task).error_group for task in tasks} == {group.id}


def test_what_comes_late_moves_the_last_task_and_time_not_back(store: Store) -> None:
    latest = fail(store, at=NOW)
    fail(store, at=NOW - HOUR)
    group = only(store)
    assert (group.n, group.last_task, group.last_seen) == (2, latest.id, NOW)
    assert group.first_seen == NOW - HOUR


def test_what_succeeds_is_counted_nowhere(store: Store) -> None:
    task = store.running()
    store.write(records.end, [End(task.seq, 1, State.SUCCEEDED, NOW, result="1")])
    assert listed(store) == []


def test_each_failed_attempt_of_a_task_counts(store: Store) -> None:
    task = store.running()
    store.write(records.rerun, [Rerun(failed(task), NOW)])
    assert store.write(records.claim, [Claim(task.seq, 2)])
    store.write(records.end, [failed(task, attempt=2)])
    assert only(store).n == 2
    attempts = store.read(queries.attempts, task.id)
    assert [attempt.error_group for attempt in attempts] == [only(store).id] * 2


@pytest.mark.parametrize("idempotent", [False, True])
def test_what_the_end_of_the_server_cut_off_is_a_group_too(store: Store, idempotent: bool) -> None:
    options = RunOptions(idempotent=idempotent).to_json()
    for function in ("jobs.add", "jobs.render"):
        store.running(function=function, options=options)
    store.write(records.interrupt, partial(what_becomes, now=NOW))
    group = only(store)
    assert (group.kind, group.type, group.place, group.n) == ("interrupted", "Interrupted", "", 2)


def test_failures_are_counted_by_hour_and_function(store: Store) -> None:
    fail(store, at=NOW - HOUR)
    fail(store, at=NOW - 40 * HOUR, function="jobs.render")
    (group, *_) = [
        each.group for each in store.read(queries.error_groups, GroupFilter(), NOW).items
    ]
    for function in ("jobs.mul", "jobs.mul"):
        task = store.running(function=function)
        store.write(records.end, [msgspec.structs.replace(failed(task), error_group=group.id)])

    report = store.read(queries.error_group, group.id, NOW)
    assert report is not None
    assert len(report.hours) == 24
    assert report.hours[-2:] == (1, 2)
    assert sum(report.hours) == 3
    assert report.functions == (FunctionCount("jobs.mul", 2), FunctionCount("jobs.add", 1))
    later = store.read(queries.error_group, group.id, NOW + 30 * HOUR)
    assert later is not None
    assert (sum(later.hours), later.functions) == (0, report.functions)
    assert store.read(queries.error_group, "0" * 16, NOW) is None


def test_groups_are_listed_by_the_last_failure_or_by_their_number(store: Store) -> None:
    fail(store, "rare", NOW)
    for _ in range(2):
        fail(store, "common", NOW - 1)
    assert listed(store) == ["rare", "common"]
    assert listed(store, sort=GroupSort.COUNT) == ["common", "rare"]


def test_groups_are_found_by_state_function_and_time(store: Store) -> None:
    fail(store, "new", NOW, function="jobs.render")
    fail(store, "old", NOW - HOUR)
    old = store.read(queries.error_groups, GroupFilter(functions=(FUNCTION,)), NOW).items[0].group
    store.write(records.change_error_group, old.id, GroupChange.MUTE, NOW)

    assert listed(store, states=["muted"]) == listed(store, functions=[FUNCTION]) == ["old"]
    assert listed(store, states=["open"]) == listed(store, since=NOW) == ["new"]
    assert listed(store, states=["open", "muted"]) == ["new", "old"]
    assert store.read(queries.error_group_counts) == {GroupState.OPEN: 1, GroupState.MUTED: 1}


@pytest.mark.parametrize("sort", list(GroupSort))
def test_pages_continue_each_other_even_where_groups_are_level(
    store: Store, sort: GroupSort
) -> None:
    for word in ("a", "b", "c", "d", "e"):
        fail(store, word)
    found, cursor = [], None
    while True:
        page = store.read(queries.error_groups, GroupFilter(sort=sort), NOW, 2, cursor)
        found += [each.group.message for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    with pytest.raises(InvalidRequest):
        store.read(queries.error_groups, GroupFilter(), NOW, 2, "nonsense")


def test_only_a_failure_that_started_after_the_fix_brings_a_group_back(store: Store) -> None:
    fail(store)
    assert change(store, GroupChange.FIX, NOW + 10)
    task = store.running()
    late = msgspec.structs.replace(failed(task, at=NOW + 20), started_at=NOW + 5)
    store.write(records.end, [late])
    assert (only(store).n, only(store).state) == (2, GroupState.FIXED)

    fail(store, at=NOW + 30)
    group = only(store)
    assert (group.n, group.state, group.changed_at) == (3, GroupState.RETURNED, NOW + 30)
    assert store.read(queries.fixed_error_groups) == [group]


def test_what_died_before_its_start_was_known_brings_a_group_back_too(store: Store) -> None:
    fail(store)
    change(store, GroupChange.FIX, NOW + 10)
    task = store.running()
    store.write(records.end, [msgspec.structs.replace(failed(task, at=NOW + 20), started_at=None)])
    assert only(store).state is GroupState.RETURNED


def test_a_muted_group_counts_on_and_stays_muted(store: Store) -> None:
    fail(store)
    assert change(store, GroupChange.MUTE, NOW)
    fail(store, at=NOW + 1)
    assert (only(store).n, only(store).state) == (2, GroupState.MUTED)
    assert store.read(queries.fixed_error_groups) == []


def test_a_decision_that_does_not_fit_the_state_changes_nothing(store: Store) -> None:
    fail(store)
    assert not change(store, GroupChange.UNMUTE, NOW)
    assert not change(store, GroupChange.REOPEN, NOW)
    assert change(store, GroupChange.FIX, NOW)
    assert not change(store, GroupChange.FIX, NOW + 1)
    assert only(store).changed_at == NOW
    assert change(store, GroupChange.REOPEN, NOW + 2)
    assert only(store).state is GroupState.OPEN


def test_the_tasks_of_a_group_are_counted_up_to_a_bound_and_leave_it_with_a_retry(
    store: Store,
) -> None:
    tasks = [fail(store) for _ in range(3)]
    group = only(store)
    assert store.read(queries.count_in_error_group, group.id) == 3
    assert store.read(queries.count_in_error_group, group.id, 2) == 2
    store.write(records.retry, [tasks[0].seq], NOW)
    assert store.read(queries.count_in_error_group, group.id) == 2
    assert only(store).n == 3

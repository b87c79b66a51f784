"""The timeline's query: what ran in a stretch of time, never more than was asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.domain.tasks.changes import Claim, End, Rerun, Start
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.domain.tasks.timeline import Overhead, Timeline, TimelineRequest
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
POOLS = ("cpu", "io")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def ran(store: Store, start: float, end: float | None, **changes: Any) -> NewTask:
    """Store a task that ran from `start` to `end`, both in seconds after `NOW`."""
    task = store.claimed(**changes)
    started_at = NOW + int(start * SECOND)
    began = Start(task.seq, 1, started_at, 0.5, f"{task.pool}-1", 4242, None)
    store.write(records.start, [began])
    if end is not None:
        store.write(records.end, [end_of(began, end)])
    return task


def end_of(start: Start, end: float, **changes: Any) -> End:
    """Return the end of an attempt, `end` seconds after `NOW`."""
    finished_at = NOW + int(end * SECOND)
    plain: dict[str, Any] = {
        "state": State.SUCCEEDED,
        "finished_at": finished_at,
        "started_at": start.started_at,
        "queued_seconds": start.queued_seconds,
        "run_seconds": (finished_at - start.started_at) / SECOND,
        "worker": start.worker,
        "pid": start.pid,
        "measurement": '{"run":0.9,"cpu":0.5,"decode":0.01,"encode":0.02}',
    }
    return End(start.seq, start.attempt, **plain | changes)


def read(
    store: Store,
    since: float,
    until: float,
    pool: str | None = None,
    function: str | None = None,
    **options: int,
) -> Timeline:
    """Read the timeline from `since` to `until`, both in seconds after `NOW`."""
    wanted = TimelineRequest(NOW + int(since * SECOND), NOW + int(until * SECOND), pool, function)
    return store.read(queries.timeline, wanted, POOLS, **options)


def names(found: Timeline) -> list[str]:
    return [bar.task for bar in found.bars]


def test_a_bar_tells_where_when_and_at_what_cost_an_attempt_ran(store: Store) -> None:
    task = ran(store, 1, 2)
    (bar,) = read(store, 0, 3).bars
    assert (bar.task, bar.attempt, bar.function) == (task.id, 1, "jobs.add")
    assert (bar.pool, bar.worker, bar.thread, bar.state) == ("cpu", "cpu-1", None, "succeeded")
    assert (bar.started_at, bar.finished_at) == (NOW + SECOND, NOW + 2 * SECOND)
    assert bar.queued_seconds == 0.5
    assert bar.overhead == Overhead(decode=0.01, encode=0.02)
    assert bar.recorded_at is not None


def test_what_overlaps_the_stretch_is_there_and_nothing_else(store: Store) -> None:
    ran(store, 0, 1)
    into, within, out_of, across = (ran(store, *each) for each in ((1, 3), (4, 5), (6, 9), (1, 9)))
    ran(store, 8, 9)
    found = read(store, 2, 7)
    assert set(names(found)) == {each.id for each in (into, within, out_of, across)}
    assert found.complete_from == NOW + 2 * SECOND
    assert found.ended == 2


def test_a_long_run_reaches_into_a_stretch_that_thousands_ended_after(store: Store) -> None:
    long = ran(store, 1, 9000)
    later = [store.new(created_at=NOW) for _ in range(2100)]
    store.write(records.insert_tasks, later)
    store.write(records.claim, [Claim(task.seq, 1) for task in later])
    starts = [store.start_of(task) for task in later]
    store.write(records.end, [end_of(start, 100, run_seconds=0.001) for start in starts])
    assert long.id in names(read(store, 10, 20))


def test_what_runs_is_there_until_it_ends(store: Store) -> None:
    running = ran(store, 1, None)
    ran(store, 5, None)
    (bar,) = read(store, 0, 4).bars
    assert (bar.task, bar.state, bar.finished_at) == (running.id, "running", None)


def test_an_earlier_attempt_has_a_bar_of_its_own(store: Store) -> None:
    task = store.claimed()
    first = Start(task.seq, 1, NOW + SECOND, 0.0, "cpu-1", 1, None)
    store.write(records.start, [first])
    failed = end_of(first, 2, state=State.FAILED, error_kind="exception")
    store.write(records.rerun, [Rerun(failed, failed.finished_at)])
    store.write(records.claim, [Claim(task.seq, 2)])
    second = Start(task.seq, 2, NOW + 3 * SECOND, 0.0, "cpu-2", 2, None)
    store.write(records.start, [second])
    store.write(records.end, [end_of(second, 4)])
    found = read(store, 0, 5)
    bars = {bar.attempt: (bar.task, bar.worker, bar.state, bar.error_kind) for bar in found.bars}
    assert bars == {
        1: (task.id, "cpu-1", "failed", "exception"),
        2: (task.id, "cpu-2", "succeeded", None),
    }
    assert found.ended == 2


def test_what_never_started_has_no_bar(store: Store) -> None:
    task = store.add()
    store.write(records.claim, [Claim(task.seq, 1)])
    store.write(records.end, [End(task.seq, 1, State.CANCELLED, NOW + SECOND)])
    assert names(read(store, 0, 2)) == []


def test_of_too_many_the_latest_are_there_and_it_is_said_since_when_all_are(store: Store) -> None:
    tasks = [ran(store, each, each + 0.5) for each in range(6)]
    found = read(store, 0, 10, most=4)
    assert names(found) == [task.id for task in reversed(tasks[2:])]
    assert NOW + 1.5 * SECOND < found.complete_from <= NOW + 2.5 * SECOND
    assert found.ended == 6


def test_a_filter_narrows_the_bars_and_not_the_number_that_ended(store: Store) -> None:
    wanted = ran(store, 1, 2, pool="io", function="jobs.b")
    ran(store, 1, 2, pool="io")
    ran(store, 1, 2)
    found = read(store, 0, 3, pool="io", function="jobs.b")
    assert names(found) == [wanted.id]
    assert found.ended == 3


def test_a_filter_that_little_fits_looks_at_a_bounded_number_of_ends(store: Store) -> None:
    ran(store, 0, 0.5, function="jobs.rare")
    for each in range(1, 6):
        ran(store, each, each + 0.5)
    found = read(store, 0, 10, function="jobs.rare", most=2, scanned=3)
    assert names(found) == []
    assert NOW + 2.5 * SECOND < found.complete_from <= NOW + 3.5 * SECOND

"""Counts, ends per minute, durations; and the queue in its order."""

from pathlib import Path

import pytest

from pooldeck_server.domain.measurements.figures import (
    Activity,
    Count,
    Durations,
    FunctionFigures,
    Percentiles,
)
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.changes import Claim, End
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import TaskKey
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

MINUTE = 60_000_000
NOW = 28_333_333 * MINUTE


def run(
    store: Store, *, state: State = State.SUCCEEDED, at: int = NOW, seconds: float = 2.0, **new: str
) -> None:
    """Store a task that waited half a second and ran."""
    task = store.running(**new)
    store.write(records.end, [End(task.seq, 1, state, at, run_seconds=seconds)])


def test_counts_follow_every_move(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        run(store)
        run(store, state=State.FAILED, pool="io")
        store.running()
        gone = store.add()
        store.write(records.cancel, [gone.seq], NOW)
        assert sorted(store.read(queries.counts), key=str) == [
            Count("cpu", "jobs.add", State.CANCELLED, 1),
            Count("cpu", "jobs.add", State.RUNNING, 1),
            Count("cpu", "jobs.add", State.SUCCEEDED, 1),
            Count("io", "jobs.add", State.FAILED, 1),
        ]
        kept, counted = store.counters_and_recount()
        assert kept == counted


def test_ends_are_summed_by_the_minute(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        run(store, at=NOW - 1, seconds=9.0)
        run(store, at=NOW, seconds=2.0)
        run(store, at=NOW + MINUTE - 1, seconds=3.0)
        minute = NOW // MINUTE
        succeeded = ("cpu", "jobs.add", State.SUCCEEDED)
        both = [
            Activity(minute - 1, *succeeded, 1, 0.5, 9.0),
            Activity(minute, *succeeded, 2, 1.0, 5.0),
        ]
        assert store.read(queries.activity, 0) == both
        assert store.read(queries.activity, minute) == both[1:]
        assert store.read(queries.activity, minute + 1) == []


def test_ends_of_one_transaction_are_summed_as_well(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        tasks = [store.running() for _ in range(3)]
        ends = [End(task.seq, 1, State.SUCCEEDED, NOW, run_seconds=2.0) for task in tasks]
        store.write(records.end, ends)
        (row,) = store.read(queries.activity, 0)
        assert (row.n, row.wait_seconds, row.run_seconds) == (3, 1.5, 6.0)


def test_figures_of_functions_keep_all_and_the_window_apart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        run(store, at=NOW - MINUTE)
        run(store, pool="io", seconds=4.0)
        run(store, state=State.FAILED, seconds=1.0)
        store.add(function="jobs.idle")
        assert store.read(queries.function_figures, NOW // MINUTE) == [
            FunctionFigures(
                "jobs.add",
                {State.SUCCEEDED: 2, State.FAILED: 1},
                {State.SUCCEEDED: 1, State.FAILED: 1},
                1.0,
                5.0,
            ),
            FunctionFigures("jobs.idle", {State.QUEUED: 1}, {}, 0, 0),
        ]


def test_durations_are_those_of_the_latest_runs(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.durations, "jobs.add") == Durations()
        run(store, seconds=100.0)
        for number in range(1, 21):
            run(store, seconds=float(number), pool="io" if number % 2 else "cpu")
        run(store, function="jobs.other", seconds=50.0)
        found = store.read(queries.durations, "jobs.add", latest=20)
        assert found == Durations(20, Percentiles(0.5, 0.5), Percentiles(10.0, 19.0))


def test_durations_leave_out_what_never_ran(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        store.write(records.end, [End(task.seq, 1, State.FAILED, NOW)])
        assert store.read(queries.durations, "jobs.add") == Durations(1, None, None)


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [([7.0], 7.0, 7.0), ([2.0, 1.0], 1.0, 2.0), ([float(n) for n in range(1, 101)], 50.0, 95.0)],
)
def test_percentiles_are_values_that_occurred(values: list[float], p50: float, p95: float) -> None:
    assert Percentiles.of(values) == Percentiles(p50, p95)


def test_the_queue_is_read_by_priority_and_then_in_the_order_of_submission(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        low = store.add(priority=-5)
        plain = [store.add(args=f"[{n}]") for n in range(3)]
        high = store.add(priority=100, shown_args='["[redacted]"]')
        store.add(pool="io", priority=100)
        store.add(state=State.SCHEDULED, run_at=NOW)
        store.claimed(priority=50)
        store.running(priority=50)
        line = store.read(queries.queued, "cpu", 100).tasks
        assert [task.seq for task in line] == [task.seq for task in (high, *plain, low)]
        assert list(line) == sorted(line, key=lambda task: task.order)
        assert (line[0].args, line[1].args, line[1].id) == ("[1,2]", "[0]", plain[0].id)
        assert [task.seq for task in store.read(queries.queued, "cpu", 2).tasks] == [
            high.seq,
            plain[0].seq,
        ]


def test_a_long_queue_is_read_whole_and_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        batch = [store.new(priority=n % 3) for n in range(1001)]
        store.write(records.insert_tasks, batch)
        expected = sorted(batch, key=lambda task: (-task.priority, task.seq))
        for limit in (200, 401, 1001, 5000):
            found = store.read(queries.queued, "cpu", limit).tasks
            assert [task.seq for task in found] == [task.seq for task in expected[:limit]]


def test_the_front_of_a_queue_is_bounded_in_tasks_and_bytes_and_says_whether_more_wait(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        large = f'["{"x" * 10_000}"]'
        store.write(records.insert_tasks, [store.new(args=large) for _ in range(200)])
        assert store.read(queries.queued, "cpu", 100).has_more
        some = store.read(queries.queued, "cpu", 1000, 1_000_000)
        assert some.has_more
        assert 100 <= len(some.tasks) < 200
        every = store.read(queries.queued, "cpu", 1000)
        assert not every.has_more
        assert len(every.tasks) == 200


def test_tasks_of_functions_on_hold_are_left_out_of_the_queue_until_released(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        held = [store.new(function="jobs.held", priority=9) for _ in range(300)]
        store.write(records.insert_tasks, held)
        free = [store.add() for _ in range(3)]
        store.write(records.save_hold, Hold("jobs.held", NOW, 3, "three deaths"))
        front = store.read(queries.queued, "cpu", 2)
        assert [task.seq for task in front.tasks] == [task.seq for task in free[:2]]
        assert front.has_more
        assert not store.read(queries.queued, "cpu", 3).has_more
        store.write(records.lift_hold, "jobs.held", 9)
        released = store.read(queries.queued, "cpu", 1000).tasks
        assert [task.seq for task in released] == [task.seq for task in (*held, *free)]


def test_a_task_that_was_scheduled_waits_since_its_time_came(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        plain = store.add()
        planned = store.add(state=State.SCHEDULED, run_at=plain.created_at + 60_000_000)
        store.write(records.promote_due, plain.created_at + 60_000_000)
        line = store.read(queries.queued, "cpu", 10).tasks
        assert [task.ready_at for task in line] == [plain.created_at, planned.run_at]


def test_a_released_task_counts_its_attempts_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        assert store.read(queries.queued, "cpu", 10).tasks == ()
        store.write(records.release, [Claim(task.seq, 1)])
        assert [waiting.attempt for waiting in store.read(queries.queued, "cpu", 10).tasks] == [0]


def test_the_latest_submission_tells_where_numbers_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.last_seq_and_id) is None
        store.add()
        last = store.add()
        assert store.read(queries.last_seq_and_id) == TaskKey(last.seq, last.id)
        assert store.read(queries.next_due) is None

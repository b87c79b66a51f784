"""What the page of a task reads beside the task: its neighbours, and parts of its log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.changes import Claim, End
from pooldeck_server.domain.tasks.log import LogEntry, LogWindow
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def ended(store: Store, state: State = State.SUCCEEDED, **changes: object) -> NewTask:
    """Store a task that ran as many seconds as its number says."""
    task = store.running(**changes)
    store.write(records.end, [End(task.seq, 1, state, NOW, run_seconds=float(task.seq))])
    return task


# The function's runs.


def test_the_runs_of_a_function_stand_around_a_task_in_their_order(store: Store) -> None:
    pools, states = ("cpu", "io"), (State.SUCCEEDED, State.FAILED, State.LOST)
    seqs = [ended(store, states[n % 3], pool=pools[n % 2]).seq for n in range(12)]
    ended(store, function="jobs.other")
    runs = store.read(queries.latest_runs, "jobs.add", seqs[6], 3, 7)
    assert [run.seq for run in runs] == seqs[3:10]
    assert [run.run_seconds for run in runs] == [float(seq) for seq in seqs[3:10]]
    assert {run.state for run in runs} == set(states)


def test_a_late_task_stands_among_the_earlier_ones(store: Store) -> None:
    seqs = [ended(store).seq for _ in range(6)]
    runs = store.read(queries.latest_runs, "jobs.add", seqs[-1], 3, 4)
    assert [run.seq for run in runs] == seqs[2:]


def test_what_never_ran_is_no_run(store: Store) -> None:
    waiting = store.add()
    store.write(records.cancel, [waiting.seq], NOW)
    store.running()
    assert store.read(queries.latest_runs, "jobs.add", 99) == []
    assert store.read(queries.latest_runs, "jobs.unknown", 99) == []


# The log.


def logged(store: Store) -> NewTask:
    """Store a task with nine lines; every third is a warning, the last of no standard level."""
    task = store.running()
    levels = ["INFO", "INFO", "WARNING"] * 2 + ["DEBUG", "ERROR", "AUDIT"]
    store.write(
        records.log,
        [LogEntry(task.seq, 1, n, NOW, level, "x", "") for n, level in enumerate(levels, 1)],
    )
    return task


@pytest.mark.parametrize(
    ("window", "lines"),
    [
        (LogWindow(3), [7, 8, 9]),
        (LogWindow(3, before=7), [4, 5, 6]),
        (LogWindow(3, after=2), [3, 4, 5]),
        (LogWindow(3, after=9), []),
        (LogWindow(99, level="WARNING"), [3, 6, 8, 9]),
        (LogWindow(2, level="ERROR", attempt=1), [8, 9]),
        (LogWindow(99, attempt=2), []),
    ],
)
def test_a_window_shows_its_part_of_the_log_in_order(
    store: Store, window: LogWindow, lines: list[int]
) -> None:
    task = logged(store)
    assert [entry.n for entry in store.read(queries.log_window, task.id, window)] == lines


def test_a_window_shows_the_latest_attempt_unless_it_names_one(store: Store) -> None:
    task = logged(store)
    store.write(records.end, [End(task.seq, 1, State.FAILED, NOW, error_kind="exception")])
    store.write(records.retry, [task.seq], NOW)
    store.write(records.claim, [Claim(task.seq, 2)])
    store.write(records.log, [LogEntry(task.seq, 2, 1, NOW, "INFO", "x", "second")])
    latest = store.read(queries.log_window, task.id, LogWindow(99))
    assert [entry.message for entry in latest] == ["second"]
    assert len(store.read(queries.log_window, task.id, LogWindow(99, attempt=1))) == 9


# Why it was killed.


def test_the_latest_kill_by_hand_is_found_with_its_reason(store: Store) -> None:
    notes = [
        StoredAnnotation(NOW, "kill_task", "cpu", "a", reason="before it was run again"),
        StoredAnnotation(NOW + 9, "kill_task", "cpu", "a", {"outcome": "killed"}, "it hangs"),
        StoredAnnotation(NOW + 10, "kill_task", "cpu", "b", reason="another task"),
        StoredAnnotation(NOW + 11, "crash", "cpu", "a", {"incident": "x"}),
    ]
    store.write(records.annotate, notes)
    assert store.read(queries.kill_of, "a", NOW + 1) == notes[1]
    assert store.read(queries.kill_of, "a", NOW + 10) is None

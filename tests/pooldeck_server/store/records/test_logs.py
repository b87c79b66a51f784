"""Logs of attempts and of workers: what is written, what goes, and what is read of the rest."""

from pathlib import Path

import pytest
from sqlalchemy import text

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.tasks.changes import End, ProgressMark
from pooldeck_server.domain.tasks.log import Level, LogCut, LogEntry, LogWindow, WorkerEntry
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
WEEK = 7 * 86400


def line(
    seq: int,
    n: int,
    message: str = "hello",
    attempt: int = 1,
    level: str = "INFO",
    *,
    is_open: bool = False,
) -> LogEntry:
    return LogEntry(seq, attempt, n, NOW + n, level, "stdout", message, is_open)


def of_worker(n: int, worker: str = "cpu-1", at: int = NOW) -> WorkerEntry:
    return WorkerEntry(worker, n, at, "INFO", "output", f"line {n}")


def told(store: Store, task: NewTask, window: LogWindow | None = None) -> list[tuple[int, int]]:
    """Return the numbers of the lines that are read, and how many are missing before each."""
    found = store.read(queries.log_window, task.id, window or LogWindow(1000))
    return [(each.n, each.left_out) for each in found]


def messages(store: Store, task: NewTask) -> list[str]:
    return [each.message for each in store.read(queries.logs, task.id)]


def test_a_log_is_read_a_part_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task, other = store.running(), store.running()
        lines = [line(task.seq, n, f"line {n}") for n in range(1, 6)]
        store.write(records.log, [*lines, line(other.seq, 1)])
        found = store.read(queries.logs, task.id)
        assert [each.message for each in found] == [each.message for each in lines]
        assert [(each.at, each.level, each.source) for each in found[:1]] == [
            (NOW + 1, "INFO", "stdout")
        ]
        assert store.read(queries.logs, task.id, limit=2) == found[:2]
        assert store.read(queries.logs, task.id, after=2) == found[2:]
        assert store.read(queries.logs, task.id, after=5) == []
        assert store.read(queries.logs, "unknown") == []


@pytest.mark.parametrize("message", ["", "ünï 😀", 'quote " \\ /', "a\x00b\x1b[0m", "\u2028"])
def test_a_line_of_a_log_comes_back_exactly(tmp_path: Path, message: str) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        store.write(records.log, [line(task.seq, 1, message)])
        store.write(records.progress, [ProgressMark(task.seq, 1, None, message)])
        assert messages(store, task) == [message]
        assert store.task(task).progress_message == message


def test_lines_of_no_present_attempt_are_not_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        strange = [line(task.seq, 2, attempt=2), line(task.seq + 1, 1)]
        store.write(records.log, [line(task.seq, 1, "first"), *strange])
        assert messages(store, task) == ["first"]


def test_the_last_lines_may_come_with_the_end(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        with store.database.transaction() as transaction:
            records.log(transaction, [line(task.seq, 1)])
            records.end(transaction, [End(task.seq, 1, State.SUCCEEDED, NOW)])
        assert len(messages(store, task)) == 1


def test_a_deleted_task_takes_its_log_and_tags_with_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running(tags=("t",))
        store.write(records.log, [line(task.seq, 1)])
        with store.database.transaction() as transaction:
            transaction.connection.execute(text("DELETE FROM tasks"))
            for table in ("logs", "task_tags"):
                left = transaction.connection.scalar(text(f"SELECT count(*) FROM {table}"))
                assert left == 0


# Lines that are not finished.


def test_an_unfinished_line_is_replaced_by_what_it_has_become(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        store.write(records.log, [line(task.seq, 1, "10 %", is_open=True), line(task.seq, 2)])
        store.write(records.log, [line(task.seq, n, f"{10 * n} %", is_open=True) for n in (1, 3)])
        store.write(records.log, [line(task.seq, 1, "50 %", is_open=True), line(task.seq, 1, "!")])
        found = store.read(queries.logs, task.id)
        assert [(each.n, each.message, each.is_open) for each in found] == [
            (1, "!", False),
            (2, "hello", False),
            (3, "30 %", True),
        ]


def test_a_reader_that_knows_an_unfinished_line_can_ask_for_it_again(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        store.write(records.log, [line(task.seq, n) for n in range(1, 9)])
        assert told(store, task, LogWindow(9, after=6, again=(2, 4))) == [
            (2, 0),
            (4, 0),
            (7, 0),
            (8, 0),
        ]


# What is left out.


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (LogWindow(9), [(1, 0), (2, 0), (6, 3), (7, 0), (11, 3)]),
        (LogWindow(2), [(7, 0), (11, 3)]),
        (LogWindow(2, after=0), [(1, 0), (2, 0)]),
        (LogWindow(2, after=2), [(6, 3), (7, 0)]),
        (LogWindow(2, after=4), [(6, 1), (7, 0)]),
        (LogWindow(2, before=7), [(2, 0), (6, 3)]),
    ],
)
def test_each_line_says_how_many_are_missing_before_it(
    tmp_path: Path, window: LogWindow, expected: list[tuple[int, int]]
) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        store.write(records.log, [line(task.seq, n) for n in (1, 2, 6, 7, 11)])
        assert told(store, task, window) == expected


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_what_is_hidden_by_its_level_is_not_missing(tmp_path: Path, level: Level) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        errors, others = (2, 3, 9), (1, 5, 8, 10)
        store.write(records.log, [line(task.seq, n) for n in others])
        store.write(records.log, [line(task.seq, n, level="ERROR") for n in errors])
        assert told(store, task, LogWindow(9, level=level)) == [(2, 0), (3, 0), (9, 3)]
        assert told(store, task, LogWindow(9, after=3, level=level)) == [(9, 3)]


def test_what_is_cut_out_of_a_log_goes_but_errors_and_what_grows_can_stay(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        task, other = store.running(), store.running()
        store.write(records.log, [line(other.seq, n) for n in range(1, 4)])
        store.write(records.log, [line(task.seq, n) for n in range(1, 9)])
        store.write(
            records.log, [line(task.seq, 4, level="ERROR"), line(task.seq, 5, is_open=True)]
        )
        store.write(records.cut_logs, [LogCut(task.seq, 1, 2, 6, takes_all=False)])
        assert told(store, task) == [(1, 0), (4, 2), (5, 0), (7, 1), (8, 0)]
        store.write(records.cut_logs, [LogCut(task.seq, 1, 4, 4, takes_all=True)])
        assert told(store, task) == [(1, 0), (5, 3), (7, 1), (8, 0)]
        store.write(records.cut_logs, [LogCut(task.seq, 1, 5, 5, takes_all=True)])
        assert told(store, task) == [(1, 0), (7, 5), (8, 0)]
        assert len(told(store, other)) == 3


# Workers' own logs.


def test_a_workers_own_log_is_read_a_part_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.log_of_workers, [of_worker(1), of_worker(2), of_worker(5)])
        store.write(records.log_of_workers, [of_worker(1, "cpu-2")])
        found = store.read(queries.worker_log, "cpu-1", LogWindow(9))
        assert [(each.n, each.message, each.left_out) for each in found] == [
            (1, "line 1", 0),
            (2, "line 2", 0),
            (5, "line 5", 2),
        ]
        assert store.read(queries.worker_log, "cpu-1", LogWindow(9, after=2)) == found[2:]
        assert store.read(queries.worker_log, "cpu-3", LogWindow(9)) == []


def test_a_workers_own_log_keeps_its_last_lines_for_a_week(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.log_of_workers, [of_worker(n) for n in range(1, 3001)])
        found = store.read(queries.worker_log, "cpu-1", LogWindow(9000))
        assert (found[0].n, found[0].left_out, found[-1].n) == (1001, 1000, 3000)
        store.write(records.log_of_workers, [of_worker(1, "cpu-2", NOW + SECOND)])
        while store.write(records.trim_worker_logs, NOW // SECOND + WEEK + 1):
            pass
        assert store.read(queries.worker_log, "cpu-1", LogWindow(9)) == []
        assert len(store.read(queries.worker_log, "cpu-2", LogWindow(9))) == 1


def test_whether_a_worker_spoke_beside_a_task_is_known_by_the_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.log_of_workers, [of_worker(1)])
        for worker, since, until, is_so in (
            ("cpu-1", NOW - 1, NOW + 1, True),
            ("cpu-1", NOW, None, True),
            ("cpu-1", NOW + 1, None, False),
            ("cpu-1", NOW - 2, NOW - 1, False),
            ("cpu-2", NOW - 1, NOW + 1, False),
        ):
            assert store.read(queries.is_in_worker_log, worker, "id", since, until) is is_so


def test_what_a_thread_says_after_its_task_is_found_by_the_tasks_name(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        late = WorkerEntry("io-1", 1, NOW, "INFO", "stdout of jobs.add (0199-a)", "late")
        store.write(records.log_of_workers, [late])
        for task_id, is_so in (("0199-a", True), ("0199-b", False), ("0199_a", False)):
            found = store.read(queries.is_in_worker_log, "io-1", task_id, NOW - 9, NOW - 8)
            assert found is is_so


def test_a_worker_is_known_by_its_number_when_it_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for _ in range(2):
            store.write(records.next_worker_number, "my-cpu")
        for worker, is_so in (
            ("my-cpu-1", True),
            ("my-cpu-2", True),
            ("my-cpu-3", False),
            ("my-cpu-0", False),
            ("my-cpu-01", False),
            ("my-cpu-²", False),
            ("cpu-1", False),
            ("my-cpu", False),
            ("", False),
        ):
            assert store.read(queries.is_worker, worker) is is_so

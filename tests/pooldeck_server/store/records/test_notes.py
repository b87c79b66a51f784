"""Progress, logs, the catalogue and the workers' numbers."""

from pathlib import Path

import pytest
from sqlalchemy import text

from pooldeck.functions import FunctionSpec, Options, ParameterKind, ParameterSpec
from pooldeck_server.domain.tasks.changes import End, ProgressMark
from pooldeck_server.domain.tasks.log import LogEntry
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import opened

NOW = 1_700_000_000_000_000


def line(seq: int, n: int, message: str = "hello", attempt: int = 1) -> LogEntry:
    return LogEntry(seq, attempt, n, NOW + n, "INFO", "stdout", message)


def test_the_last_mark_of_progress_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        marks = [ProgressMark(task.seq, 1, 0.1, "begun"), ProgressMark(task.seq, 1, 0.5, "half")]
        store.write(records.progress, marks)
        stored = store.task(task)
        assert (stored.progress_fraction, stored.progress_message) == (0.5, "half")


def test_progress_of_a_claimed_task_counts_before_its_start_is_stored(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.claimed()
        store.write(records.progress, [ProgressMark(task.seq, 1, 0.5, "half")])
        assert store.task(task).progress_fraction == 0.5


def test_progress_counts_for_the_attempt_that_is_in_hand_only(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        waiting, running, final = store.add(), store.running(), store.running()
        store.write(records.end, [End(final.seq, 1, State.SUCCEEDED, NOW)])
        marks = [
            ProgressMark(waiting.seq, 0, 0.5, "too early"),
            ProgressMark(running.seq, 2, 0.5, "of another attempt"),
            ProgressMark(final.seq, 1, 0.5, "too late"),
        ]
        store.write(records.progress, marks)
        for task in (waiting, running, final):
            assert store.task(task).progress_message is None


def test_a_log_is_read_a_part_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task, other = store.running(), store.running()
        lines = [line(task.seq, n, f"line {n}") for n in range(1, 6)]
        store.write(records.log, [*lines, line(other.seq, 1)])
        assert store.read(queries.logs, task.id, limit=2) == lines[:2]
        assert store.read(queries.logs, task.id, after=2) == lines[2:]
        assert store.read(queries.logs, task.id, after=5) == []
        assert store.read(queries.logs, "unknown") == []


@pytest.mark.parametrize("message", ["", "ünï 😀", 'quote " \\ /', "a\x00b\x1b[0m", "\u2028"])
def test_a_line_of_a_log_comes_back_exactly(tmp_path: Path, message: str) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        store.write(records.log, [line(task.seq, 1, message)])
        store.write(records.progress, [ProgressMark(task.seq, 1, None, message)])
        assert store.read(queries.logs, task.id) == [line(task.seq, 1, message)]
        assert store.task(task).progress_message == message


def test_lines_of_other_attempts_and_lines_that_are_there_are_left_out(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        first = line(task.seq, 1, "first")
        again = line(task.seq, 1, "again")
        strange = [line(task.seq, 2, attempt=2), line(task.seq + 1, 1)]
        store.write(records.log, [first, again, *strange])
        assert store.read(queries.logs, task.id) == [first]


def test_the_last_lines_may_come_with_the_end(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        with store.database.transaction() as transaction:
            records.log(transaction, [line(task.seq, 1)])
            records.end(transaction, [End(task.seq, 1, State.SUCCEEDED, NOW)])
        assert len(store.read(queries.logs, task.id)) == 1


def test_a_deleted_task_takes_its_log_and_tags_with_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running(tags=("t",))
        store.write(records.log, [line(task.seq, 1)])
        with store.database.transaction() as transaction:
            transaction.connection.execute(text("DELETE FROM tasks"))
            for table in ("logs", "task_tags"):
                left = transaction.connection.scalar(text(f"SELECT count(*) FROM {table}"))
                assert left == 0


def spec(name: str) -> FunctionSpec:
    width = ParameterSpec("width", ParameterKind.KEYWORD_ONLY, False, {"type": "integer"}, "256")
    return FunctionSpec(
        name,
        "jobs",
        "(*, width: int = 256)",
        "Doc.\x00",
        [width],
        {},
        Options(sensitive=("width",)),
    )


def test_the_catalogue_comes_back_as_it_was_reported_last(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.catalogue) == []
        store.write(records.save_catalogue, [spec("jobs.b"), spec("jobs.a"), spec("jobs.c")], NOW)
        store.write(records.save_catalogue, [spec("jobs.b"), spec("jobs.a")], NOW)
        assert store.read(queries.catalogue) == [spec("jobs.a"), spec("jobs.b")]


def test_a_workers_number_is_never_used_again(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert [store.write(records.next_worker_number, "cpu") for _ in range(2)] == [1, 2]
        assert store.write(records.next_worker_number, "io") == 1
    with opened(tmp_path) as store:
        assert store.write(records.next_worker_number, "cpu") == 3

"""Progress, the catalogue and the workers' numbers."""

from pathlib import Path

from pooldeck.functions import FunctionSpec, Options, ParameterKind, ParameterSpec
from pooldeck_server.domain.tasks.changes import End, ProgressMark
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import opened

NOW = 1_700_000_000_000_000


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

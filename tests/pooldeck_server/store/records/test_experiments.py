"""Experiments are kept as they go on, and real arguments are found to make them with."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.measurements.experiments import (
    ExperimentState,
    MeasuredSize,
    Now,
    Plan,
    SampleCall,
    StoredExperiment,
)
from pooldeck_server.domain.tasks.changes import End
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def experiment(number: int, function: str = "jobs.add") -> StoredExperiment:
    return StoredExperiment(
        id=f"experiment-{number}",
        function=function,
        state=ExperimentState.RUNNING,
        created_at=number,
        plan=Plan({PoolKind.THREAD: (1, 2)}, seconds=2.0, warmup=0.3, is_adaptive=True),
        source="given",
        samples=1,
        shown=(SampleCall("[1]", '{"text": "\\u00e9 \\"quoted\\""}'),),
        now=Now(PoolKind.THREAD, 1, is_again=False, done=0, planned=2),
    )


def measured(it: StoredExperiment) -> StoredExperiment:
    step = MeasuredSize(
        kind=PoolKind.THREAD,
        size=1,
        calls=10,
        throughput=5.0,
        noise=0.01,
        p50=0.2,
        p95=0.3,
        cpu=0.1,
        rss_bytes=1,
        switches=2.0,
        errors=0,
        seconds=2.0,
        slices=(5.0, 5.0),
    )
    return msgspec.structs.replace(it, steps=(step,), state=ExperimentState.FINISHED, now=None)


def succeeded(store: Store, args: str, **changes: object) -> NewTask:
    task = store.running(args=args, **changes)
    end = End(task.seq, 1, State.SUCCEEDED, store.clock.now())
    store.write(records.end, [end])
    return task


def test_an_experiment_comes_back_as_it_was_saved_last(store: Store) -> None:
    begun = experiment(1)
    store.write(records.save_experiment, begun)
    assert store.read(queries.experiment, begun.id) == begun

    store.write(records.save_experiment, measured(begun))

    assert store.read(queries.experiment, begun.id) == measured(begun)
    assert store.read(queries.experiments) == [measured(begun)]
    assert store.read(queries.experiment, "another") is None


def test_experiments_are_listed_newest_first_and_by_function(store: Store) -> None:
    for number, function in enumerate(("jobs.add", "jobs.sub", "jobs.add"), start=1):
        store.write(records.save_experiment, experiment(number, function))

    def ids(*arguments: object) -> list[str]:
        return [each.id for each in store.read(queries.experiments, *arguments)]  # type: ignore[arg-type]  # as given

    assert ids() == ["experiment-3", "experiment-2", "experiment-1"]
    assert ids("jobs.add") == ["experiment-3", "experiment-1"]
    assert ids(None, 1) == ["experiment-3"]


def test_what_ran_when_the_server_died_is_stopped_and_keeps_what_it_found(store: Store) -> None:
    left, ended = experiment(1), measured(experiment(2))
    store.write(records.save_experiment, left)
    store.write(records.save_experiment, ended)

    assert store.write(records.stop_experiments, 77) == 1
    assert store.write(records.stop_experiments, 78) == 0

    found = store.read(queries.experiment, left.id)
    stopped = ExperimentState.STOPPED
    assert found == msgspec.structs.replace(
        left, state=stopped, ended_by="server", finished_at=77, now=None
    )
    assert store.read(queries.experiment, ended.id) == ended


def test_samples_are_the_different_arguments_of_the_latest_successes(store: Store) -> None:
    long = f'["{"x" * 10_000}"]'  # longer than what lists show
    for args in ("[1]", "[2]", "[1]", long):
        succeeded(store, args)
    succeeded(store, '[{"$result": "some-task"}]')
    succeeded(store, "[3]", function="jobs.sub")
    store.running(args="[4]")

    found = store.read(queries.latest_samples, "jobs.add", 10)

    assert found == [SampleCall(long, "{}"), SampleCall("[1]", "{}"), SampleCall("[2]", "{}")]
    assert store.read(queries.latest_samples, "jobs.add", 2) == found[:2]

"""Experiments on a running engine: real temporary pools, real functions, a real slow server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from msgspec import Raw

from bench.saturating import saturating_site
from pooldeck.kinds import PoolKind
from pooldeck_server.advice.sweeping import usual_sizes
from pooldeck_server.domain.errors import (
    BadArguments,
    Conflict,
    InvalidRequest,
    NotFound,
    UnknownFunction,
)
from pooldeck_server.domain.measurements.experiment_request import (
    ExperimentRequest,
    SampleRequest,
    SizesRequest,
)
from pooldeck_server.domain.measurements.experiments import (
    ExperimentState,
    MeasuredSize,
    StoredExperiment,
)
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.runtime.server import Server
from tests.support.engine import BOUND, engine, eventually

LONG = 90.0  # seconds that an experiment may take on a busy machine
NAME = "experiment_functions"


def wanted(
    function: str,
    *args: Any,
    seconds: float = 0.3,
    thread: tuple[int, ...] = (),
    process: tuple[int, ...] = (),
) -> ExperimentRequest:
    sizes = SizesRequest(thread, process) if thread or process else None
    sample = SampleRequest(Raw(msgspec.json.encode(args)))
    return ExperimentRequest(
        f"{NAME}.{function}", samples=(sample,), sizes=sizes, seconds=seconds, warmup=0.1
    )


@asynccontextmanager
async def trying(data: Path, **changes: Any) -> AsyncIterator[Server]:
    async with engine(data, functions=(NAME,), **changes) as server:
        yield server


async def finished(server: Server, experiment: StoredExperiment) -> StoredExperiment:
    until = time.monotonic() + LONG
    while experiment.state is ExperimentState.RUNNING:
        assert time.monotonic() < until, "the experiment did not end"
        await asyncio.sleep(0.02)
        experiment = await server.experiments.get(experiment.id)
    return experiment


async def found(data: Path, request: ExperimentRequest) -> StoredExperiment:
    async with trying(data) as server:
        return await finished(server, await server.experiments.begin(request))


def holds(
    data: Path, request: ExperimentRequest, check: Callable[[StoredExperiment], None]
) -> None:
    """Check an experiment, another one if need be: the machine may pause for most of a step."""
    for number in range(2):
        with suppress(AssertionError):
            check(asyncio.run(found(data / str(number), request)))
            return
    check(asyncio.run(found(data / "last", request)))


def step_at(experiment: StoredExperiment, kind: PoolKind, size: int) -> MeasuredSize:
    (step,) = [each for each in experiment.of_kind(kind) if each.size == size]
    return step


async def underway(server: Server, experiment: StoredExperiment) -> None:
    """Return when the first size has been measured."""
    until = time.monotonic() + BOUND
    while not (await server.experiments.get(experiment.id)).steps:
        assert time.monotonic() < until, "nothing was measured"
        await asyncio.sleep(0.02)


def trial_workers() -> list[int]:
    """Return the processes of temporary pools that run below this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "experiment." in " ".join(child.environ().values()):
                found.append(child.pid)
        except psutil.Error:
            continue
    return found


def test_a_function_that_waits_scales_with_threads_and_says_so(tmp_path: Path) -> None:
    def check(experiment: StoredExperiment) -> None:
        assert experiment.state is ExperimentState.FINISHED
        alone, eight = (
            step_at(experiment, PoolKind.THREAD, 1),
            step_at(experiment, PoolKind.THREAD, 8),
        )
        assert 4 < eight.throughput / alone.throughput < 10
        assert 0.02 <= alone.p50 <= alone.p95 < 1
        assert alone.errors == 0
        assert alone.rss_bytes > 1_000_000
        assert alone.switches > 1
        assert experiment.choice is not None
        assert (experiment.choice.kind, experiment.choice.size) == ("thread", 8)
        assert experiment.choice.gain is not None
        assert experiment.choice.gain > 3

    holds(tmp_path, wanted("nap", 0.02, thread=(1, 8), process=(1,)), check)


def test_the_throughput_of_calls_longer_than_a_slice_is_not_rounded_to_whole_calls(
    tmp_path: Path,
) -> None:
    def check(experiment: StoredExperiment) -> None:
        assert step_at(experiment, PoolKind.THREAD, 2).throughput == pytest.approx(2 / 0.4, rel=0.2)

    holds(tmp_path, wanted("nap", 0.4, seconds=0.5, thread=(2,)), check)


def test_processes_are_found_to_be_better_for_what_holds_the_gil(tmp_path: Path) -> None:
    def check(experiment: StoredExperiment) -> None:
        one, four = experiment.of_kind(PoolKind.THREAD)
        assert four.throughput < 1.5 * one.throughput
        assert four.p50 > 2 * one.p50
        assert experiment.choice is not None
        assert (experiment.choice.kind, experiment.choice.size) == ("process", 4)
        assert experiment.choice.gain is not None
        assert experiment.choice.gain > 2

    request = wanted("hold_gil", 0.03, seconds=0.6, thread=(1, 4), process=(1, 4))
    holds(tmp_path, request, check)


@pytest.mark.soak
def test_the_knee_is_at_what_a_server_does_at_a_time(tmp_path: Path) -> None:
    def check(experiment: StoredExperiment) -> None:
        (scaling,) = experiment.scalings
        assert scaling.knee in {4, 8}
        assert scaling.law is not None
        assert (
            step_at(experiment, PoolKind.THREAD, 16).p50
            > 2 * step_at(experiment, PoolKind.THREAD, 1).p50
        )

    with saturating_site(latency=0.1, at_once=4) as url:
        holds(tmp_path, wanted("ask", url, seconds=0.6, thread=(1, 2, 4, 8, 16)), check)


def test_a_function_that_always_raises_is_given_up_with_its_error(tmp_path: Path) -> None:
    experiment = asyncio.run(found(tmp_path, wanted("fail", "no luck")))

    assert experiment.state is ExperimentState.FAILED
    assert experiment.plan.is_adaptive
    assert experiment.plan.sizes == usual_sizes(experiment.cpus)
    assert [(trouble.kind, trouble.size) for trouble in experiment.troubles] == [
        ("thread", 1),
        ("process", 1),
    ]
    assert all("ValueError: no luck" in trouble.words for trouble in experiment.troubles)
    assert experiment.choice is None


def test_crashes_end_what_they_spoil_and_leave_the_server_alone(tmp_path: Path) -> None:
    async def scenario() -> tuple[StoredExperiment, int, list[int]]:
        async with trying(tmp_path) as server:
            request = wanted("die", thread=(1,), process=(2,))
            experiment = await finished(server, await server.experiments.begin(request))
            deaths = sum(pool.incidents for pool in server.health.all())
            return experiment, deaths, trial_workers()

    experiment, deaths, left = asyncio.run(scenario())

    assert {trouble.kind for trouble in experiment.troubles} == {"thread", "process"}
    assert all("exited with code 7" in trouble.words for trouble in experiment.troubles)
    assert deaths == 0  # what dies in a temporary pool is no incident of the server's own
    assert left == []


def test_one_runs_at_a_time_and_can_be_stopped_with_what_it_has_found(tmp_path: Path) -> None:
    async def scenario() -> tuple[StoredExperiment, list[int], list[StoredExperiment]]:
        async with trying(tmp_path) as server:
            request = wanted("nap", 0.01, seconds=0.3, thread=tuple(range(1, 20)))
            first = await server.experiments.begin(request)
            with pytest.raises(Conflict, match=first.id):
                await server.experiments.begin(request)
            await underway(server, first)
            await eventually(lambda: bool(trial_workers()))
            stopped = await server.experiments.stop(first.id)
            again = await server.experiments.stop(first.id)  # which does nothing
            assert again == stopped
            return stopped, trial_workers(), await server.experiments.latest()

    stopped, left, listed = asyncio.run(scenario())

    assert (stopped.state, stopped.ended_by) == (ExperimentState.STOPPED, "person")
    assert 1 <= len(stopped.steps) < 19
    assert stopped.finished_at is not None
    assert stopped.now is None
    assert left == []
    assert listed == [stopped]


def test_a_server_that_ends_stops_its_experiment_and_keeps_what_was_found(tmp_path: Path) -> None:
    async def first_server() -> StoredExperiment:
        async with trying(tmp_path) as server:
            request = wanted("nap", 0.01, thread=tuple(range(1, 20)))
            experiment = await server.experiments.begin(request)
            await underway(server, experiment)
            return experiment

    async def second_server(experiment: StoredExperiment) -> StoredExperiment:
        async with trying(tmp_path) as server:
            return await server.experiments.get(experiment.id)

    kept = asyncio.run(second_server(asyncio.run(first_server())))

    assert (kept.state, kept.ended_by) == (ExperimentState.STOPPED, "server")
    assert kept.steps
    assert trial_workers() == []


def test_real_arguments_are_used_again_only_where_the_function_allows_it(tmp_path: Path) -> None:
    async def submit(server: Server, function: str, *args: Any) -> None:
        body = Submission(f"{NAME}.{function}", Raw(msgspec.json.encode(args)))
        task = await server.intake.submit(body)
        await server.wait(task.task.id, BOUND)

    def latest(function: str) -> ExperimentRequest:
        sizes = SizesRequest(thread=(1,))
        return ExperimentRequest(f"{NAME}.{function}", sizes=sizes, seconds=0.2, warmup=0.0)

    async def scenario() -> StoredExperiment:
        async with trying(tmp_path) as server:
            with pytest.raises(InvalidRequest, match="has succeeded with arguments that still fit"):
                await server.experiments.begin(latest("compute"))
            for args in ([1000], [2000], [1000]):
                await submit(server, "compute", *args)
            await submit(server, "nap", 0.01)
            await submit(server, "tell", "hush")
            with pytest.raises(InvalidRequest, match="not declared idempotent"):
                await server.experiments.begin(latest("nap"))
            with pytest.raises(InvalidRequest, match="sensitive"):
                await server.experiments.begin(latest("tell"))
            return await finished(server, await server.experiments.begin(latest("compute")))

    experiment = asyncio.run(scenario())

    assert experiment.state is ExperimentState.FINISHED
    assert (experiment.source, experiment.samples) == ("latest", 2)
    assert [sample.args for sample in experiment.shown] == ["[1000]", "[2000]"]


def test_what_does_not_fit_is_refused_before_anything_runs(tmp_path: Path) -> None:
    async def scenario() -> list[StoredExperiment]:
        async with trying(tmp_path) as server:
            with pytest.raises(BadArguments, match="seconds"):
                await server.experiments.begin(wanted("nap", "long"))
            with pytest.raises(UnknownFunction):
                await server.experiments.begin(wanted("nothing"))
            with pytest.raises(NotFound):
                await server.experiments.get("01a20562-3f3c-70ca-bf0b-e60e520cc98a")
            empty = ExperimentRequest(f"{NAME}.nap", sizes=SizesRequest(), samples=())
            with pytest.raises(InvalidRequest, match="sizes"):
                await server.experiments.begin(empty)
            return await server.experiments.latest()

    assert asyncio.run(scenario()) == []


def test_sensitive_samples_are_tried_but_not_shown(tmp_path: Path) -> None:
    experiment = asyncio.run(found(tmp_path, wanted("tell", "hush", thread=(1,))))

    assert experiment.state is ExperimentState.FINISHED
    assert "hush" not in msgspec.json.encode(experiment).decode()


def test_tasks_of_the_real_pools_run_on_and_are_said_to_have_disturbed(tmp_path: Path) -> None:
    async def scenario() -> StoredExperiment:
        gate = tmp_path / "gate"
        async with trying(tmp_path / "data") as server:
            body = Submission(f"{NAME}.linger", Raw(msgspec.json.encode([str(gate)])))
            accepted = await server.intake.submit(body)
            experiment = await finished(
                server, await server.experiments.begin(wanted("nap", 0.01, thread=(1,)))
            )
            gate.touch()
            assert (await server.wait(accepted.task.id, BOUND)).state == "succeeded"
            return experiment

    (step,) = asyncio.run(scenario()).steps

    assert step.busy > 0.9


def test_one_that_is_stopped_while_its_workers_start_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario() -> tuple[StoredExperiment, list[int]]:
        async with trying(tmp_path) as server:
            for pause in (0.0, 0.01, 0.03, 0.1):  # in the middle of different steps of a start
                experiment = await server.experiments.begin(wanted("nap", 1.0, process=(4,)))
                await asyncio.sleep(pause)
                stopped = await server.experiments.stop(experiment.id)
            return stopped, trial_workers()

    stopped, left = asyncio.run(scenario())

    assert (stopped.state, stopped.steps) == (ExperimentState.STOPPED, ())
    assert left == []

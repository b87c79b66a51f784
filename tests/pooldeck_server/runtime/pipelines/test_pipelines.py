"""Pipelines: steps that become tasks, lists that are gone over, and what joins them again."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from pooldeck_server.domain.errors import BadArguments, InvalidRequest, NotFound, UnknownFunction
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import eventually, outcome
from tests.support.pipelined import (
    pipeline_engine,
    pipelined,
    result,
    result_of,
    state_at_end,
    step,
)

ITEM = {"$item": True}


async def _tasks(server: Server, pipeline: str, name: str) -> list[str]:
    """Return the results of a step's tasks, in the order of their items."""
    wanted = TaskFilter(pipelines=(pipeline,))
    page = await server.read(queries.tasks, wanted, 500)
    found = [task for task in page.items if task.dependencies and task.dependencies.step == name]
    found.sort(key=lambda task: task.dependencies.item or 0 if task.dependencies else 0)
    return [str(task.result) for task in found]


async def test_a_list_is_spread_over_tasks_and_their_results_are_joined_in_order(
    tmp_path: Path,
) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            join=step("show", result_of("twice")),
            twice=step("double", ITEM, each=result_of("list"), pool="cpu"),
            list=step("count_to", 20, pool="io"),
        )
        assert await result(server, pipeline, "join") == [[2 * n for n in range(1, 21)]]
        assert await _tasks(server, pipeline.id, "twice") == [str(2 * n) for n in range(1, 21)]
        found = await server.pipelines.get(pipeline.id)
        assert found.state == "succeeded"
        counts = {each.step.name: each.counts for each in found.steps}
        assert counts["twice"] == {State.SUCCEEDED: 20}


async def test_a_list_that_is_known_is_spread_at_the_door(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            base=step("double", 50),
            each=step("show", {"item": ITEM}, result_of("base"), each=[1, "two", None, 4.50]),
            join=step("show", kwargs={"all": result_of("each")}),
        )
        assert len(pipeline.tasks["each"]) == 4
        joined = await result(server, pipeline, "join")
        items = [1, "two", None, 4.5]
        assert joined == [{"all": [[{"item": item}, 100] for item in items]}]
        assert (await server.pipelines.get(pipeline.id)).state == "succeeded"


@pytest.mark.parametrize("each", [[], result_of("list")])
async def test_an_empty_list_joins_to_an_empty_one(tmp_path: Path, each: object) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            list=step("count_to", 0),
            none=step("double", ITEM, each=each),
            join=step("show", result_of("none")),
            after=step("show", after=["none"]),
        )
        assert await result(server, pipeline, "join") == [[]]
        assert await result(server, pipeline, "after") == []
        assert (await server.pipelines.get(pipeline.id)).state == "succeeded"


@pytest.mark.parametrize(
    ("rule", "expected"), [("skip", [[1, 3]]), ("go_on", [[1, None, 3]]), ("stop", None)]
)
async def test_a_failed_item_is_left_out_null_or_the_end(
    tmp_path: Path, rule: str, expected: object
) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            list=step("count_to", 3),
            check=step("fail_on", ITEM, 2, each=result_of("list")),
            join=step("show", result_of("check"), on_failure=rule),
        )
        task = await outcome(server, pipeline.tasks["join"][0])
        if expected is None:
            assert task.state is State.CANCELLED
        else:
            assert msgspec.json.decode(task.result or "") == expected
        assert await state_at_end(server, pipeline) == "failed"


async def test_a_step_may_go_over_the_results_of_one_that_went_over_a_list(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            list=step("count_to", 4),
            once=step("double", ITEM, each=result_of("list")),
            twice=step("double", ITEM, each=result_of("once")),
            join=step("show", result_of("twice"), result_of("once")),
        )
        assert await result(server, pipeline, "join") == [[4, 8, 12, 16], [2, 4, 6, 8]]


async def test_what_is_no_list_fails_the_step_that_would_go_over_it(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            number=step("double", 1),
            each=step("double", ITEM, each=result_of("number")),
            join=step("show", result_of("each")),
        )
        task = await outcome(server, pipeline.tasks["each"][0])
        assert (task.state, task.error_kind) == (State.FAILED, "bad_arguments")
        assert "no list" in (task.error or "")
        assert (await outcome(server, pipeline.tasks["join"][0])).state is State.CANCELLED


async def test_an_item_that_does_not_fit_is_named_and_no_task_of_the_list_runs(
    tmp_path: Path,
) -> None:
    async with pipeline_engine(tmp_path / "data") as server:
        pipeline = await pipelined(
            server,
            list=step("show", 1, 2, "three"),
            each=step("double", ITEM, each=result_of("list")),
        )
        task = await outcome(server, pipeline.tasks["each"][0])
        assert task.error_kind == "bad_arguments"
        assert "item 2" in (task.error or "")
        assert server.counts.counts()[State.SUCCEEDED] == 1


async def test_a_list_that_is_too_long_fails_its_step(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path, limits={"batch_tasks": 10}) as server:
        steps = {"each": step("double", ITEM, each=result_of("list"))}
        pipeline = await pipelined(server, list=step("count_to", 11), **steps)
        assert (await outcome(server, pipeline.tasks["each"][0])).error_kind == "bad_arguments"
        with pytest.raises(InvalidRequest, match="10"):
            await pipelined(server, each=step("double", ITEM, each=list(range(11))))


async def test_cancelling_a_pipeline_ends_all_of_it(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            slow={"function": "runtime_functions.sleep", "args": [600]},
            queued=step("double", ITEM, each=list(range(5)), delay=600),
            join=step("show", result_of("queued"), result_of("slow")),
        )
        await eventually(lambda: server.counts.counts()[State.RUNNING] == 1)
        done = await server.pipelines.cancel(pipeline.id, kill=True)
        assert done.outcomes == {"cancelled": 6, "killed": 1}
        assert await state_at_end(server, pipeline) == "cancelled"
        with pytest.raises(NotFound):
            await server.pipelines.cancel("nothing")


@pytest.fixture(scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """An engine for those who leave nothing in it."""
    async with pipeline_engine(tmp_path_factory.mktemp("standing")) as server:
        yield server


@pytest.mark.parametrize(
    ("steps", "error", "words"),
    [
        ({"a": step("double", result_of("a"))}, InvalidRequest, "itself"),
        ({"a": step("double", result_of("b"))}, InvalidRequest, "no step"),
        ({"a": step("double", 1, after=["b"])}, InvalidRequest, "no step"),
        (
            {"a": step("double", result_of("b")), "b": step("double", result_of("a"))},
            InvalidRequest,
            "circle",
        ),
        ({"a": step("nothing")}, UnknownFunction, "nothing"),
        ({"a": step("double", "two")}, BadArguments, "number"),
        ({"a": step("double", ITEM)}, InvalidRequest, "each"),
        ({"a": step("double", ITEM, each={"some": "thing"})}, InvalidRequest, "list"),
        ({"a": step("double", ITEM, each=[1, "x"])}, BadArguments, "number"),
        ({"a": step("double", {"$result": 5})}, InvalidRequest, "string"),
        ({"a": step("double", 1, idempotency_key="k")}, InvalidRequest, "idempotency_key"),
    ],
)
async def test_what_makes_no_pipeline_is_refused_with_its_place_and_nothing_is_stored(
    standing: Server, steps: dict[str, dict[str, object]], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        await pipelined(standing, good=step("double", 1), **steps)
    assert getattr(refused.value, "extra")["field"].startswith("/tasks")  # noqa: B009
    assert not any(standing.counts.counts().values())
    assert not (await standing.read(queries.pipelines)).items


async def test_a_fan_of_many_is_joined_without_reading_all_of_it_at_each_end(
    tmp_path: Path,
) -> None:
    async with pipeline_engine(tmp_path) as server:
        pipeline = await pipelined(
            server,
            list=step("count_to", 2000, pool="io"),
            each=step("double", ITEM, each=result_of("list"), pool="io"),
            join=step("show", result_of("each")),
        )
        (numbers,) = await result(server, pipeline, "join")
        assert numbers == [2 * n for n in range(1, 2001)]

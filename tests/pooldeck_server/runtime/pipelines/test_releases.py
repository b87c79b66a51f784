"""Tasks that come after others: they wait, get results, and heed what became of those before."""

from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Delete, delete

from pooldeck_server.domain.errors import (
    BadArguments,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
)
from pooldeck_server.domain.tasks.dependencies import Rule
from pooldeck_server.domain.tasks.pipelines import StoredStep
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import After
from pooldeck_server.store.tables import edges, links
from pooldeck_server.store.transaction import Transaction
from tests.support.engine import call, eventually, outcome, submit
from tests.support.pipelined import (
    asked,
    ended,
    pipeline_engine,
    pipelined,
    result_of,
    step,
    submitted,
)


async def test_a_task_runs_after_those_that_it_names_and_not_before(tmp_path: Path) -> None:
    flag, log = tmp_path / "flag", tmp_path / "log"
    async with pipeline_engine(tmp_path / "data") as server:
        first = await submit(server, "wait_for", str(flag), pool="io")
        quick = await submitted(server, "double", 1)
        last = await submitted(server, "effect", str(log), "last", after=(first, quick))
        await outcome(server, quick)
        waiting = await server.tasks.get(last)
        assert (waiting.state, waiting.run_at) == (State.SCHEDULED, None)
        assert waiting.dependencies is not None
        assert waiting.dependencies.after == (first, quick)
        flag.write_text("go")
        done = await outcome(server, last)
        before = await server.tasks.get(first)
        assert done.state is State.SUCCEEDED
        assert (done.started_at or 0) >= (before.finished_at or 0) > 0
        assert done.queued_seconds is not None
        assert done.queued_seconds < 5  # since it was released, not since its submission


async def test_a_result_takes_the_place_of_its_reference_across_pools(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        numbers = await submitted(server, "count_to", 3, pool="io")
        task = await ended(
            server, "show", result_of(numbers), {"deep": [result_of(numbers)]}, pool="cpu"
        )
        assert msgspec.json.decode(task.result or "") == [[1, 2, 3], {"deep": [[1, 2, 3]]}]
        assert task.args == '[[1,2,3],{"deep":[[1,2,3]]}]'
        assert task.dependencies is not None
        assert result_of(numbers) in msgspec.json.decode(task.dependencies.given_args or "")


async def test_what_comes_after_a_task_that_has_ended_runs_at_once(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        before = await ended(server, "double", 4)
        after = await ended(server, "double", result_of(before.id))
        assert after.result == "16"


async def test_a_failure_cancels_what_comes_after_it_and_what_comes_after_that(
    tmp_path: Path,
) -> None:
    async with pipeline_engine(tmp_path) as server:
        bad = await submitted(server, "fail_on", 1, 1)
        second = await submitted(server, "double", result_of(bad))
        third = await submitted(server, "double", result_of(second))
        stopped = [await outcome(server, each) for each in (second, third)]
        assert [task.state for task in stopped] == [State.CANCELLED, State.CANCELLED]
        causes = [task.dependencies.stopped_by for task in stopped if task.dependencies]
        assert causes == [bad, second]
        assert [task.attempt for task in stopped] == [0, 0]


async def test_cancelling_a_task_cancels_what_comes_after_it(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        first = await submitted(server, "double", 1, delay=600)
        second = await submitted(server, "double", 1, after=(first,))
        await server.tasks.cancel(first)
        task = await outcome(server, second)
        assert task.state is State.CANCELLED
        assert task.dependencies is not None
        assert task.dependencies.stopped_by == first


@pytest.mark.parametrize("rule", ["skip", "go_on"])
async def test_with_another_rule_it_runs_with_null_in_place_of_the_result(
    tmp_path: Path, rule: str
) -> None:
    async with pipeline_engine(tmp_path) as server:
        bad = await submitted(server, "fail_on", 1, 1)
        good = await submitted(server, "double", 1)
        task = await ended(server, "show", result_of(bad), result_of(good), on_failure=rule)
        assert task.result == "[null,2]"


async def test_each_task_before_may_have_a_rule_of_its_own(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        bad = await submitted(server, "fail_on", 1, 1)
        good = await submitted(server, "double", 1)
        after = (After(bad, Rule.GO_ON), good)
        assert (await ended(server, "show", after=after)).state is State.SUCCEEDED
        after = (After(good, Rule.GO_ON), bad)
        assert (await ended(server, "show", after=after)).state is State.CANCELLED


async def test_a_rerun_of_the_task_before_is_waited_for(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path / "data") as server:
        first = await submit(server, "fail_until", str(tmp_path / "runs"), 2, retries=1)
        task = await ended(server, "double", result_of(first))
        assert task.result == "4"


async def test_results_that_do_not_fit_fail_the_task_before_any_worker_has_it(
    tmp_path: Path,
) -> None:
    limits = {"arguments_bytes": 1000}
    async with pipeline_engine(tmp_path, limits=limits) as server:
        text = await submitted(server, "text_of", 100)
        wrong = await ended(server, "double", result_of(text))
        assert (wrong.state, wrong.error_kind, wrong.attempt) == ("failed", "bad_arguments", 0)
        assert "number" in (wrong.error or "")
        long = await submitted(server, "text_of", 2000)
        for number in (1, 600):  # one that is too large, and two that are so together
            ids = [await submitted(server, "text_of", number), long]
            large = await ended(server, "show", *map(result_of, ids))
            assert (large.state, large.error_kind) == ("failed", "bad_arguments")
            assert "1000" in (large.error or "")


async def test_what_nobody_may_see_is_hidden_in_references_and_in_what_they_became(
    tmp_path: Path,
) -> None:
    async with pipeline_engine(tmp_path) as server:
        text = await submitted(server, "text_of", 7)
        first = await ended(server, "keep", result_of(text), "abc")
        second = await ended(server, "keep", "my secret", result_of(text))
        assert (first.result, second.result) == ("10", "16")
        assert first.dependencies is not None
        assert second.dependencies is not None
        assert first.args == '["[redacted]","abc"]'
        assert first.dependencies.given_args == '["[redacted]","abc"]'
        assert second.args == '["[redacted]","xxxxxxx"]'
        assert second.dependencies.given_args == f'["[redacted]",{{"$result":"{text}"}}]'


async def test_one_that_was_stopped_is_retried_only_when_the_one_before_has_succeeded(
    tmp_path: Path,
) -> None:
    trouble = tmp_path / "trouble"
    trouble.touch()
    async with pipeline_engine(tmp_path / "data") as server:
        first = await submitted(server, "fail_while", str(trouble))
        second = await ended(server, "show", result_of(first))
        assert second.state is State.CANCELLED
        with pytest.raises(Conflict, match=first):
            await server.tasks.retry(second.id)
        trouble.unlink()
        await server.tasks.retry(first)
        assert (await outcome(server, first)).state is State.SUCCEEDED
        again = await server.tasks.retry(second.id)
        assert again.state in {State.SCHEDULED, State.QUEUED, State.RUNNING, State.SUCCEEDED}
        assert (await outcome(server, second.id)).result == '["fine"]'


@pytest.mark.parametrize("lost", ["one", "many"])
async def test_a_task_fails_where_a_result_that_it_needs_was_deleted(
    tmp_path: Path, lost: str
) -> None:
    trouble = tmp_path / "trouble"
    trouble.touch()
    async with pipeline_engine(tmp_path / "data") as server:
        pipeline = await pipelined(
            server,
            bad=step("fail_while", str(trouble)),
            one=step("double", 1),
            many=step("double", {"$item": True}, each=[1, 2]),
            total=step("show", *map(result_of, ("bad", "one", "many"))),
        )
        for name in ("one", "many", "total"):
            for each in pipeline.tasks[name]:
                await outcome(server, each)
        gone = await server.tasks.get(pipeline.tasks[lost][-1])
        await server.tasks.recorder.perform(
            lambda tx: tx.connection.execute(delete(edges).where(edges.c.needs == gone.seq))
        )
        trouble.unlink()
        await server.tasks.retry(pipeline.tasks["bad"][0])
        await outcome(server, pipeline.tasks["bad"][0])
        await server.tasks.retry(pipeline.tasks["total"][0])
        total = await outcome(server, pipeline.tasks["total"][0])
        assert total.state is State.FAILED
        assert f'the result of \\"{lost}\\" was deleted' in (total.error or "")


def _execute(statement: Delete, transaction: Transaction) -> None:
    transaction.connection.execute(statement)


async def test_a_list_of_which_nothing_is_left_is_no_empty_list(tmp_path: Path) -> None:
    """Earlier versions could cut a step off from what comes after it."""
    trouble = tmp_path / "trouble"
    trouble.touch()
    async with pipeline_engine(tmp_path / "data") as server:
        pipeline = await pipelined(
            server,
            bad=step("fail_while", str(trouble)),
            many=step("double", {"$item": True}, each=[1, 2]),
            none=step("double", {"$item": True}, each=[], pool="cpu"),
            total=step("show", *map(result_of, ("bad", "many", "none"))),
            rest=step("show", *map(result_of, ("bad", "none"))),
        )
        for name in ("many", "total", "rest"):
            for each in pipeline.tasks[name]:
                await outcome(server, each)
        seqs = [(await server.tasks.get(each)).seq for each in pipeline.tasks["many"]]
        for cut in (
            delete(edges).where(edges.c.needs.in_(seqs)),
            delete(links).where(links.c.seq.in_(seqs)),
        ):
            await server.tasks.recorder.perform(partial(_execute, cut))
        trouble.unlink()
        ends = {}
        for name in ("bad", "total", "rest"):
            await server.tasks.retry(pipeline.tasks[name][0])
            ends[name] = await outcome(server, pipeline.tasks[name][0])
        assert ends["total"].state is State.FAILED
        assert 'the result of \\"many\\" was deleted' in (ends["total"].error or "")
        assert ends["rest"].state is State.SUCCEEDED  # what was empty from the beginning still is


def test_a_step_of_an_earlier_version_is_empty_only_where_it_had_no_pool() -> None:
    assert StoredStep("a", "f", "", is_fan=True).never_had_tasks
    assert not StoredStep("a", "f", "cpu", is_fan=True).never_had_tasks
    assert not StoredStep("a", "f", "cpu", is_fan=True, number=2).never_had_tasks


async def test_running_a_task_again_later_changes_nothing_after_it(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path / "data") as server:
        first = await ended(server, "double", 2)
        second = await ended(server, "double", result_of(first.id))
        await server.tasks.retry(first.id)
        await outcome(server, first.id)
        assert (await server.tasks.get(second.id)).attempt == 1
        await server.tasks.retry(second.id)  # it keeps the arguments that it got
        assert (await outcome(server, second.id)).result == "8"


async def test_a_delay_begins_when_the_tasks_before_have_ended(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        first = await submit(server, "sleep", 0.5, pool="io")
        task = await ended(server, "show", after=(first,), delay=0.4)
        before = await server.tasks.get(first)
        assert (task.started_at or 0) - (before.finished_at or 0) >= 400_000


async def test_what_waits_survives_a_restart_and_is_released_after_it(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    async with pipeline_engine(tmp_path / "data") as server:
        first = await submitted(server, "double", 2, delay=1.5)
        second = await submitted(server, "double", result_of(first))
        assert (await server.tasks.get(second)).state is State.SCHEDULED
    flag.touch()
    async with pipeline_engine(tmp_path / "data") as server:
        assert (await outcome(server, second)).result == "8"


async def test_submissions_that_cannot_come_after_anything_are_refused(tmp_path: Path) -> None:
    async with pipeline_engine(tmp_path) as server:
        with pytest.raises(InvalidRequest, match="no task"):
            await server.intake.submit(asked("show", after=("nobody",)))
        with pytest.raises(InvalidRequest, match="no task"):
            await server.intake.submit(asked("show", result_of("nobody")))
        known = await submitted(server, "double", 1)
        with pytest.raises(BadArguments, match="number"):
            await server.intake.submit(asked("fail_on", "no number", result_of(known)))
        with pytest.raises(BadArguments, match="positional"):
            await server.intake.submit(asked("double", result_of(known), result_of(known)))


async def test_a_batch_may_refer_to_earlier_tasks_and_a_key_covers_what_comes_before(
    tmp_path: Path,
) -> None:
    async with pipeline_engine(tmp_path) as server:
        first = await submitted(server, "double", 2)
        other = await submitted(server, "double", 3)
        batch = [asked("double", result_of(first)), call("add", 1, 2), asked("double", 5)]
        ids = await server.intake.submit_batch(batch)
        results = [(await outcome(server, each)).result for each in ids]
        assert results == ["8", "3", "10"]
        one = await server.intake.submit(asked("show", after=(first,)), "key")
        again = await server.intake.submit(asked("show", after=(first,)), "key")
        assert (again.task.id, again.created) == (one.task.id, False)
        with pytest.raises(IdempotencyMismatch):
            await server.intake.submit(asked("show", after=(other,)), "key")


async def test_thousands_that_wait_for_one_are_all_released(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    async with pipeline_engine(tmp_path / "data") as server:
        first = await submit(server, "wait_for", str(flag), pool="io")
        ids = await server.intake.submit_batch(
            [asked("show", after=(first,), pool="io") for _ in range(1000)]
        )
        counts = server.counts.counts
        assert counts()[State.SCHEDULED] == len(ids)
        flag.write_text("go")
        await eventually(lambda: counts()[State.SUCCEEDED] == len(ids) + 1)

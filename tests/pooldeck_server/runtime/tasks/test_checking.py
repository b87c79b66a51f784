"""Submissions of one call: what they share is found out once, what is their own is kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pooldeck.functions import RunOptions
from pooldeck_server.domain.errors import BadArguments, UnknownFunction, UnknownPool
from pooldeck_server.domain.tasks.states import State
from tests.support.engine import call, engine

LATER = datetime(2100, 1, 1, tzinfo=UTC)


async def test_tasks_of_a_call_are_made_at_one_moment_and_differ_where_they_were_asked_to(
    tmp_path: Path,
) -> None:
    asked = [
        call("add", 1, 2),
        call("add", 3, 4, priority=5),
        call("add", 1, 2, pool="io"),
        call("add", 1, 2, timeout=1.0),
        call("add", 1, 2, timeout=2.0, retries=3),
        call("add", 1, 2, delay=60.0),
        call("add", 1, 2, run_at=LATER),
        call("add", 1, 2, callback="https://example.com/"),
        call("add", 1, 2, tags=("a",)),
        call("sleep", 1.5),
    ]
    async with engine(tmp_path) as server:
        check = server.intake.checks.of_call().check
        tasks = [check(each) for each in asked]
        alone = [server.intake.checks.of_call().check(each) for each in asked]
    assert len({task.created_at for task in tasks}) == 1
    assert [task.seq for task in tasks] == list(range(tasks[0].seq, tasks[0].seq + len(tasks)))
    assert sorted(task.id for task in tasks) == [task.id for task in tasks]
    for task, other in zip(tasks, alone, strict=True):
        for name in (
            *("function", "pool", "priority", "args", "kwargs", "options", "tags", "state"),
            *("placed", "callback"),
        ):
            assert getattr(task, name) == getattr(other, name), name
    assert [task.priority for task in tasks[:2]] == [0, 5]
    options = [RunOptions.from_json(task.options) for task in tasks[2:5]]
    assert [(each.timeout, each.retries) for each in options] == [(None, 0), (1.0, 0), (2.0, 3)]
    assert tasks[5].run_at == tasks[5].created_at + 60_000_000
    assert [task.state for task in tasks[4:8]] == [
        *(State.QUEUED, State.SCHEDULED, State.SCHEDULED, State.QUEUED)
    ]


async def test_one_that_is_refused_refuses_no_other_of_its_kind(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        checks = server.intake.checks.of_call()
        for _ in range(2):
            with pytest.raises(BadArguments):
                checks.check(call("add", "no number", 2))
            with pytest.raises(UnknownPool):
                checks.check(call("add", 1, 2, pool="nowhere"))
            with pytest.raises(UnknownFunction):
                checks.check(call("nothing_of_this_name"))
            assert checks.check(call("add", 1, 2)).args == "[1,2]"


async def test_a_call_is_tied_by_what_comes_after_tasks_or_may_refer_to_their_results(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        plain, after, refers = (server.intake.checks.of_call() for _ in range(3))
        plain.check(call("add", 1, 2))
        after.check(call("add", 1, 2, after=("x",)))
        refers.check(call("add", {"$result": "x"}, 2))
    assert (plain.are_tied, after.are_tied, refers.are_tied) == (False, True, True)

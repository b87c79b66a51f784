"""Failures of real workers in their groups, and groups that come back."""

from pathlib import Path

import pytest

from pooldeck_server.domain.errors import Conflict, NotFound
from pooldeck_server.domain.failures.error_groups import (
    GroupChange,
    GroupFilter,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import engine, eventually, outcome, submit


async def groups(server: Server) -> list[StoredErrorGroup]:
    """Return all groups, by how often they were seen."""
    page = await server.read(queries.error_groups, GroupFilter(), server.clock.now())
    return sorted((report.group for report in page.items), key=lambda group: group.n)


async def fail(server: Server, runs: Path, **fields: object) -> str:
    """Let a task fail, and return its id."""
    task_id = await submit(server, "fail_until", str(runs), 99, **fields)
    assert (await outcome(server, task_id)).error_kind == "exception"
    return task_id


async def test_each_way_to_fail_is_a_group_and_every_attempt_counts(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        failed = await fail(server, tmp_path / "runs", retries=2)
        died = await outcome(server, await submit(server, "leave", 3))
        late = await outcome(server, await submit(server, "overrun"))

        *single, often = await groups(server)
        assert (often.n, often.type, often.message) == (3, "ValueError", "run # of #")
        assert often.place == "functions/runtime_functions.py:fail_until"
        assert often.last_task == failed
        assert (await server.tasks.get(failed)).error_group == often.id
        assert {(group.kind, group.last_task) for group in single} == {
            ("crashed", died.id),
            ("timeout", late.id),
        }
        assert {group.place for group in single} == {
            "runtime_functions.leave",
            "runtime_functions.overrun",
        }


async def test_a_fixed_group_that_comes_again_is_told_until_somebody_decides(
    tmp_path: Path,
) -> None:
    data, runs = tmp_path / "data", tmp_path / "runs"
    async with engine(data) as server:
        await fail(server, runs)
        (group,) = await groups(server)
        await server.errors.change(group.id, GroupChange.FIX)
        assert server.errors.returned() == ()
        await fail(server, runs)
        await eventually(lambda: bool(server.errors.returned()))
    async with engine(data) as server:
        (returned,) = server.errors.returned()
        assert (returned.id, returned.n, returned.state) == (group.id, 2, GroupState.RETURNED)
        await server.errors.change(group.id, GroupChange.REOPEN)
        assert server.errors.returned() == ()
        await fail(server, runs)
        assert server.errors.returned() == ()


async def test_an_attempt_that_is_run_again_brings_its_group_back_too(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        await fail(server, tmp_path / "runs")
        (group,) = await groups(server)
        await server.errors.change(group.id, GroupChange.FIX)
        task_id = await submit(
            server, "fail_until", str(tmp_path / "others"), 2, retries=1, pool="io"
        )
        await eventually(lambda: bool(server.errors.returned()))
        assert (await outcome(server, task_id)).result == "2"


async def test_decisions_that_make_no_sense_are_refused_and_repeated_ones_are_not(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path / "data") as server:
        await fail(server, tmp_path / "runs")
        (group,) = await groups(server)
        for change in (GroupChange.MUTE, GroupChange.MUTE, GroupChange.FIX, GroupChange.FIX):
            await server.errors.change(group.id, change)
        with pytest.raises(Conflict, match="the group is fixed; only muted"):
            await server.errors.change(group.id, GroupChange.UNMUTE)
        with pytest.raises(NotFound):
            await server.errors.change("0" * 16, GroupChange.FIX)

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
from pooldeck_server.runtime.server import Service
from pooldeck_server.store import queries
from tests.support.engine import engine, eventually, outcome, submit


async def groups(service: Service) -> list[StoredErrorGroup]:
    """Return all groups, by how often they were seen."""
    page = await service.read(queries.error_groups, GroupFilter(), service.clock.now())
    return sorted((report.group for report in page.items), key=lambda group: group.n)


async def fail(service: Service, runs: Path, **fields: object) -> str:
    """Let a task fail, and return its id."""
    task_id = await submit(service, "fail_until", str(runs), 99, **fields)
    assert (await outcome(service, task_id)).error_kind == "exception"
    return task_id


async def test_each_way_to_fail_is_a_group_and_every_attempt_counts(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as service:
        failed = await fail(service, tmp_path / "runs", retries=2)
        died = await outcome(service, await submit(service, "leave", 3))
        late = await outcome(service, await submit(service, "overrun"))

        *single, often = await groups(service)
        assert (often.n, often.type, often.message) == (3, "ValueError", "run # of #")
        assert often.place == "functions/runtime_functions.py:fail_until"
        assert often.last_task == failed
        assert (await service.task(failed)).error_group == often.id
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
    async with engine(data) as service:
        await fail(service, runs)
        (group,) = await groups(service)
        await service.change_error_group(group.id, GroupChange.FIX)
        assert service.returned_errors() == ()
        await fail(service, runs)
        await eventually(lambda: bool(service.returned_errors()))
    async with engine(data) as service:
        (returned,) = service.returned_errors()
        assert (returned.id, returned.n, returned.state) == (group.id, 2, GroupState.RETURNED)
        await service.change_error_group(group.id, GroupChange.REOPEN)
        assert service.returned_errors() == ()
        await fail(service, runs)
        assert service.returned_errors() == ()


async def test_an_attempt_that_is_run_again_brings_its_group_back_too(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as service:
        await fail(service, tmp_path / "runs")
        (group,) = await groups(service)
        await service.change_error_group(group.id, GroupChange.FIX)
        task_id = await submit(
            service, "fail_until", str(tmp_path / "others"), 2, retries=1, pool="io"
        )
        await eventually(lambda: bool(service.returned_errors()))
        assert (await outcome(service, task_id)).result == "2"


async def test_decisions_that_make_no_sense_are_refused_and_repeated_ones_are_not(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path / "data") as service:
        await fail(service, tmp_path / "runs")
        (group,) = await groups(service)
        for change in (GroupChange.MUTE, GroupChange.MUTE, GroupChange.FIX, GroupChange.FIX):
            await service.change_error_group(group.id, change)
        with pytest.raises(Conflict, match="the group is fixed; only muted"):
            await service.change_error_group(group.id, GroupChange.UNMUTE)
        with pytest.raises(NotFound):
            await service.change_error_group("0" * 16, GroupChange.FIX)

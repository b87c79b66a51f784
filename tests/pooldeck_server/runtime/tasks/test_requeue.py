"""What the server runs again by itself, what it does not, and what it stops running."""

import asyncio
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import FunctionOnHold, NotFound
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import BOUND, call, engine, eventually, outcome, submit

BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])


@BOTH
async def test_a_task_that_fails_is_run_again_as_often_as_it_may(tmp_path: Path, pool: str) -> None:
    async with engine(tmp_path / "data") as server:
        runs = tmp_path / "runs"
        task_id = await submit(server, "fail_until", str(runs), 3, retries=2, pool=pool)
        ended = await outcome(server, task_id)
        assert (ended.state, ended.result, ended.attempt) == (State.SUCCEEDED, "3", 3)
        assert ended.reruns == 2
        first, second, third = map(float, runs.read_text().split())
        assert second - first >= 0.5  # seconds: half of the first pause at the least
        assert third - second >= 1.0
        kept = await server.read(queries.attempts, task_id)
        assert [attempt.state for attempt in kept] == ["failed", "failed", "succeeded"]


async def test_a_task_that_has_used_up_its_retries_fails(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        task_id = await submit(server, "fail_until", str(tmp_path / "runs"), 9, retries=1)
        ended = await outcome(server, task_id)
        assert (ended.state, ended.attempt) == (State.FAILED, 2)


@BOTH
async def test_a_timeout_ends_a_task_and_retries_cover_it(tmp_path: Path, pool: str) -> None:
    async with engine(tmp_path) as server:
        task_id = await submit(server, "overrun", pool=pool, retries=1)
        ended = await outcome(server, task_id)
        assert (ended.state, ended.error_kind, ended.attempt) == (State.FAILED, "timeout", 2)
        assert (await outcome(server, await submit(server, "add", 1, 2, pool=pool))).result
        assert server.health.pool(pool).incidents == 0


async def test_a_submission_may_set_another_timeout_than_its_function(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        ended = await outcome(server, await submit(server, "sleep", 600, timeout=0.2))
        assert (ended.state, ended.error_kind) == (State.FAILED, "timeout")
        assert (ended.run_seconds or 0) < 60


@BOTH
async def test_a_crash_is_survived_by_what_is_idempotent_only(tmp_path: Path, pool: str) -> None:
    async with engine(tmp_path / "data") as server:
        task_id = await submit(server, "crash_until", str(tmp_path / "runs"), 3, pool=pool)
        ended = await outcome(server, task_id)
        assert (ended.state, ended.result, ended.attempt) == (State.SUCCEEDED, "3", 3)
        assert server.health.pool(pool).incidents == 2
        crashed = await outcome(server, await submit(server, "leave", 1, pool=pool, retries=3))
        assert (crashed.state, crashed.error_kind, crashed.attempt) == (
            State.FAILED,
            "crashed",
            1,
        )


async def recovered_incident(server: Server) -> StoredIncident:
    """Return the newest incident as soon as it tells of the recovery."""
    async with asyncio.timeout(BOUND):
        while True:
            page = await server.read(queries.incidents)
            if page.items and page.items[0].recovered_at is not None:
                return page.items[0]
            await asyncio.sleep(0.01)


async def test_an_incident_names_the_culprit_and_when_the_pool_was_whole_again(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        culprit = await submit(server, "leave", 3)
        await outcome(server, culprit)

        found = await recovered_incident(server)
        assert found.pool == "cpu"
        assert "exited with code 3" in found.cause
        assert found.exit_code == 3
        assert found.culprit is not None
        assert found.culprit.task == culprit
        assert (found.recovery_ms or 0) > 0
        assert (found.recovered_at or 0) >= found.detected_at


async def test_a_function_that_keeps_killing_workers_is_held_until_released(tmp_path: Path) -> None:
    async with engine(tmp_path / "data", hold_after=2) as server:
        ids = await server.intake.submit_batch([call("leave", 1) for _ in range(4)])
        await eventually(lambda: bool(server.holds.all()))
        (hold,) = server.holds.all()
        assert hold.function == "runtime_functions.leave"
        assert "exited with code 1" in hold.reason
        with pytest.raises(FunctionOnHold):
            await submit(server, "leave", 0)
        assert (await outcome(server, await submit(server, "add", 1, 2))).result == "3"
        states = [(await server.tasks.get(task_id)).state for task_id in ids]
        assert states == [State.FAILED, State.FAILED, State.QUEUED, State.QUEUED]
    async with engine(tmp_path / "data", hold_after=3) as server:
        assert server.holds.all() == (hold,)
        await server.holds.release(hold.function)
        for task_id in ids[2:]:
            assert (await outcome(server, task_id)).error_kind == "crashed"
        with pytest.raises(NotFound):
            await server.holds.release(hold.function)

"""Functions held by hand: paused, which takes tasks, and on hold, which refuses them."""

from pathlib import Path

import pytest

from pooldeck_server.domain.actions import ActionFilter, Deed
from pooldeck_server.domain.alerts.rules import AlertRule
from pooldeck_server.domain.errors import Conflict, FunctionOnHold, NotFound
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.controls import HoldKind
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import engine, eventually, outcome, submit

ADD = "runtime_functions.add"


async def test_a_paused_function_takes_tasks_and_runs_them_when_it_is_resumed(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        await server.holds.pause(ADD, "vendor is down")
        waiting = await submit(server, "add", 1, 2)
        assert (await server.wait(waiting, 0.3)).state is State.QUEUED
        assert [(each.need, each.function) for each in needs(server)] == [
            (Need.PAUSED_FUNCTION, ADD)
        ]
    async with engine(tmp_path) as server:  # it stays paused over a restart
        hold = server.holds.get(ADD)
        assert hold is not None
        assert (hold.kind, hold.reason, hold.refuses) == (HoldKind.PAUSE, "vendor is down", False)
        assert (await server.wait(waiting, 0.3)).state is State.QUEUED
        other = await submit(server, "note", str(tmp_path / "noted"), "word")
        assert (await outcome(server, other)).state is State.SUCCEEDED  # others go on
        await server.holds.resume(ADD)
        assert (await outcome(server, waiting)).result == "3"
        assert needs(server) == []


async def test_a_function_on_hold_refuses_new_tasks_with_the_reason_and_keeps_those_that_wait(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        await server.pools.pause("cpu")
        await server.pools.pause("io")
        waiting = await submit(server, "add", 1, 2)
        await server.holds.hold(ADD, "wrong prices")
        with pytest.raises(FunctionOnHold, match="wrong prices"):
            await submit(server, "add", 1, 2)
        await server.pools.resume("cpu")
        await server.pools.resume("io")
        assert (await server.wait(waiting, 0.3)).state is State.QUEUED
        await server.holds.release(ADD, "prices are right")
        assert (await outcome(server, waiting)).result == "3"
        log = await server.read(queries.actions, ActionFilter())
        done = [(each.deed, each.reason) for each in log.items if each.target == ADD]
        assert done == [(Deed.RELEASE, "prices are right"), (Deed.HOLD, "wrong prices")]


async def test_what_ends_a_hold_ends_no_pause_and_a_pause_softens_no_hold(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        with pytest.raises(NotFound, match="not paused"):
            await server.holds.resume(ADD)
        await server.holds.pause(ADD)
        with pytest.raises(NotFound, match="but paused"):
            await server.holds.release(ADD)
        await server.holds.hold(ADD)  # stricter: that is possible
        with pytest.raises(Conflict, match="release it first"):
            await server.holds.pause(ADD)
        with pytest.raises(NotFound, match="but on hold"):
            await server.holds.resume(ADD)
        await server.holds.release(ADD)
        assert ADD not in server.holds


async def test_a_hold_by_hand_is_no_alert_as_that_after_crashes_is(tmp_path: Path) -> None:
    async with engine(tmp_path, hold_after=2) as server:
        await server.holds.hold(ADD)
        assert await server.read(queries.open_alerts, list(AlertRule)) == []
        for _ in range(2):
            server.holds.add_death("runtime_functions.leave", "killed by SIGSEGV")
        hold = server.holds.get("runtime_functions.leave")
        assert hold is not None
        assert (hold.kind, hold.deaths, hold.cause) == (HoldKind.CRASHES, 2, "killed by SIGSEGV")
    async with engine(tmp_path) as server:
        assert len(await server.read(queries.open_alerts, list(AlertRule))) == 1


def needs(server: Server) -> list[Notice]:
    return [each for each in server.notices(server.frames.latest()) if each.hold is not None]


async def test_a_task_that_was_claimed_ahead_is_given_back_when_its_function_is_paused(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        first = await submit(server, "add", 1, 1)
        assert (await outcome(server, first)).state is State.SUCCEEDED
        await server.holds.pause(ADD)
        many = [await submit(server, "add", number, 1) for number in range(20)]
        assert (await server.wait(many[-1], 0.3)).state is State.QUEUED
        await server.holds.resume(ADD)
        for task in many:
            assert (await outcome(server, task)).state is State.SUCCEEDED
        await eventually(lambda: server.counts.counts()[State.QUEUED] == 0)

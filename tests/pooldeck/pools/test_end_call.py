"""Ending a call by hand: asked to, killed, or abandoned; and looking at it without touching it."""

from pathlib import Path

import pytest

from pooldeck.kinds import Ending, PoolKind
from pooldeck.outcome import ErrorKind, Outcome
from pooldeck.pools.model import WorkerState
from tests.support.pooled import EACH_KIND, Listener, eventually, is_alive, pool


async def test_a_call_that_waits_behind_another_comes_back_when_it_is_cancelled(
    tmp_path: Path,
) -> None:
    async with pool("process", 1) as listener:
        await eventually(lambda: listener.pool.free == 1)
        listener.all_quick = True
        listener.call("first", "count_up", str(tmp_path / "log"), str(tmp_path / "go"))
        listener.call("behind", "count_up", str(tmp_path / "log"), str(tmp_path / "go"))
        listener.all_quick = False
        assert listener.pool.cancel("behind")
        await eventually(lambda: listener.came_back == ["behind"])
        listener.waiting.clear()
        (tmp_path / "go").touch()
        assert (await listener.outcome("first")).error is None
        assert (tmp_path / "log").read_text().count("started") == 1


async def test_killing_a_call_in_a_process_ends_its_worker_and_is_no_incident() -> None:
    async with pool("process", 2) as listener:
        worker = await listener.running("killed", "rest", 600)
        await listener.running("other", "work_until_asked")
        pid = listener.pool.workers[worker].pid
        assert listener.pool.kill("killed") is Ending.WORKER_ENDED
        assert await listener.outcome("killed") == Outcome(cancelled=True)
        assert not is_alive(pid)
        assert "other" not in listener.outcomes
        assert not listener.deaths
        await eventually(lambda: listener.pool.free == 1)


async def test_a_call_that_is_killed_while_it_waits_behind_another_never_runs(
    tmp_path: Path,
) -> None:
    async with pool("process", 1) as listener:
        await eventually(lambda: listener.pool.free == 1)
        listener.all_quick = True
        listener.call("first", "count_up", str(tmp_path / "log"), str(tmp_path / "go"))
        listener.call("behind", "count_up", str(tmp_path / "log"), str(tmp_path / "go"))
        assert listener.pool.kill("behind") is Ending.NEVER_STARTED
        assert await listener.outcome("behind") == Outcome(cancelled=True)
        (tmp_path / "go").touch()
        assert (await listener.outcome("first")).error is None
        assert (tmp_path / "log").read_text().count("started") == 1
        assert not listener.came_back


async def test_killing_a_call_in_a_thread_abandons_it_and_its_slot_is_used_again(
    tmp_path: Path,
) -> None:
    async with pool("thread", 2) as listener:
        worker = await listener.running("other", "wait_for", str(tmp_path / "other"))
        await listener.running("stuck", "wait_for", str(tmp_path / "stuck"))
        assert listener.pool.kill("stuck") is Ending.ABANDONED
        assert (await listener.error("stuck")).kind is ErrorKind.ABANDONED
        assert list(listener.pool.workers[worker].abandoned) == ["stuck"]
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2
        assert listener.begun["next"].thread == listener.begun["stuck"].thread
        (tmp_path / "stuck").touch()
        await eventually(lambda: "stuck" in listener.ended_late)
        assert listener.ended_late["stuck"].error is None
        assert "other" not in listener.outcomes


async def test_a_thread_worker_with_too_many_abandoned_threads_is_replaced(tmp_path: Path) -> None:
    async with pool("thread", 4) as listener:
        worker = await listener.running("other", "wait_for", str(tmp_path / "other"))
        pid = listener.pool.workers[worker].pid
        for task in ("stuck 1", "stuck 2"):
            await listener.running(task, "wait_for", str(tmp_path / "never"))
            listener.pool.kill(task)
        await eventually(lambda: listener.ids(WorkerState.STOPPING) == {worker})
        assert listener.pool.free == 3  # the old worker still uses one of the four slots
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2
        assert listener.workers["next"] != worker
        assert "other" not in listener.outcomes
        (tmp_path / "other").touch()
        assert (await listener.outcome("other")).error is None
        await eventually(lambda: not is_alive(pid))
        await eventually(lambda: listener.pool.free == 4)
        assert not listener.deaths


async def places_in_c(listener: Listener) -> list[str]:
    """Look at the call until it has come to where it holds the GIL."""
    text = ""
    while not text.endswith("in hold_gil"):
        assert "holder" not in listener.outcomes
        text = await listener.pool.stack("holder") or ""
    return text.splitlines()


@EACH_KIND
async def test_a_call_that_holds_the_gil_can_be_looked_at_too(
    kind: PoolKind, tmp_path: Path
) -> None:
    async with pool(kind, 2, folder=tmp_path) as listener:
        await listener.running("holder", "hold_gil", 6.0)
        (place,) = await places_in_c(listener)
        assert place.endswith("in hold_gil")
        assert "holder" not in listener.outcomes
        assert await listener.result("holder") >= 6.0


@pytest.mark.parametrize(
    ("function", "first"), [("hold_gil_async", "in hold_gil_async"), ("hold_gil_deep", "  ...")]
)
async def test_what_is_seen_of_a_call_that_holds_the_gil_begins_with_its_own_code(
    function: str, first: str, tmp_path: Path
) -> None:
    """Behind an event loop, too; of a deep stack only the innermost part is there."""

    async with pool("process", 1, folder=tmp_path) as listener:
        await listener.running("holder", function, 600.0)
        places = await places_in_c(listener)
        assert places[0].endswith(first)

"""A worker that dies of what an earlier call left in it accuses nobody who may be innocent."""

import os
import resource
import signal
from pathlib import Path

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Error, ErrorKind
from tests.support.pooled import EACH_KIND, Listener, eventually, pool

MODULES = ("leaving_functions", "pool_functions")


async def killed_by_what_is_left(listener: Listener, how: str, folder: Path) -> Error:
    """Let what one call leaves end the worker under another; return the error of that one."""
    go = folder / "go"
    listener.call("left", "leaving_functions.leave_killer", how, str(go))
    await listener.result("left")
    await listener.running("runs", "wait_for", str(folder / "never"))
    go.touch()
    return await listener.error("runs")


@EACH_KIND
@pytest.mark.parametrize("how", ["kill", "child"])
async def test_where_nothing_names_who_did_it_those_that_left_something_are_suspects_too(
    tmp_path: Path, kind: PoolKind, how: str
) -> None:
    async with pool(kind, 1, folder=tmp_path, modules=MODULES) as listener:
        error = await killed_by_what_is_left(listener, how, tmp_path)
        assert error.kind is ErrorKind.BYSTANDER
        assert "it may have been what task left (leaving_functions.leave_killer)" in error.message
        (death,) = listener.deaths
        assert death.culprit is None
        assert [call.task for call in death.suspects] == ["runs", "left"]
        assert [call.task for call in death.bystanders] == ["runs"]


@EACH_KIND
@pytest.mark.parametrize("how", ["segfault", "exit"])
async def test_the_call_that_left_the_thread_is_the_culprit_where_that_thread_is_named(
    tmp_path: Path, kind: PoolKind, how: str
) -> None:
    async with pool(kind, 1, folder=tmp_path, modules=MODULES) as listener:
        error = await killed_by_what_is_left(listener, how, tmp_path)
        assert error.kind is ErrorKind.BYSTANDER
        assert "task left (leaving_functions.leave_killer) caused it" in error.message
        (death,) = listener.deaths
        assert death.culprit is not None
        assert death.culprit.task == "left"
        assert death.suspects == ()


@EACH_KIND
@pytest.mark.parametrize(
    ("function", "args"), [("pool_functions.segfault", ()), ("pool_functions.leave", (3,))]
)
async def test_a_call_that_is_named_is_the_culprit_whatever_others_left(
    tmp_path: Path, kind: PoolKind, function: str, args: tuple[int, ...]
) -> None:
    async with pool(kind, 1, folder=tmp_path, modules=MODULES) as listener:
        listener.call("left", "leaving_functions.leave_monitor")
        await listener.result("left")
        listener.call("culprit", function, *args)
        assert (await listener.error("culprit")).kind is ErrorKind.CRASHED


async def test_what_has_ended_by_then_is_suspected_no_more(tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with pool("process", 1, folder=tmp_path, modules=MODULES) as listener:
        listener.call("left", "leaving_functions.leave_for_a_while", str(go))
        await listener.result("left")
        (worker,) = listener.pool.workers.values()
        assert list(worker.left) == ["left"]
        go.touch()

        async def forgets(n: int) -> bool:
            listener.call(f"plain {n}", "add", 1, 1)
            await listener.result(f"plain {n}")
            return not worker.left

        n = 0
        while not await forgets(n):
            n += 1
            assert n < 1000, "it is not forgotten"
        await listener.running("culprit", "kill_self", signal.SIGKILL)
        assert (await listener.error("culprit")).kind is ErrorKind.CRASHED


async def test_a_crash_on_a_helper_of_the_only_call_is_that_calls(tmp_path: Path) -> None:
    async with pool("process", 1, folder=tmp_path, modules=MODULES) as listener:
        listener.call("culprit", "leaving_functions.crash_in_helper")
        assert (await listener.error("culprit")).kind is ErrorKind.CRASHED


async def test_what_is_left_behind_replaces_no_worker(tmp_path: Path) -> None:
    async with pool("process", 1, folder=tmp_path, modules=MODULES) as listener:
        for n in range(3):
            listener.call(f"left {n}", "leaving_functions.leave_monitor")
            await listener.result(f"left {n}")
        assert len(set(listener.workers.values())) == 1


async def test_a_worker_that_a_task_has_spoilt_takes_no_more_calls_and_is_replaced(
    tmp_path: Path,
) -> None:
    async with pool("process", 1, folder=tmp_path, modules=MODULES) as listener:
        listener.call("spoils", "leaving_functions.spoil")
        listener.call("next", "add", 1, 1)
        await listener.result("spoils")
        assert await listener.result("next") == 2
        spoilt = listener.workers["spoils"]
        assert listener.workers["next"] != spoilt
        await eventually(lambda: spoilt not in listener.pool.workers)
        assert listener.deaths == []


async def test_a_timer_that_ends_a_worker_of_threads_accuses_nobody(tmp_path: Path) -> None:
    async with pool("thread", 1, folder=tmp_path, modules=MODULES) as listener:
        listener.call("left", "leaving_functions.leave_alarm")
        await listener.result("left")
        await listener.running("runs", "wait_for", str(tmp_path / "never"))
        error = await listener.error("runs")
        assert error.kind is ErrorKind.BYSTANDER
        assert error.message.endswith("whichever task had run there may have set the timer")
        (death,) = listener.deaths
        assert death.culprit is None


async def test_the_peak_memory_of_a_death_is_the_workers_own(tmp_path: Path) -> None:
    ballast = b"x" * (200 << 20)
    async with pool("process", 1, folder=tmp_path) as listener:
        worker = await listener.running("small", "wait_for", str(tmp_path / "never"))
        os.kill(listener.pool.pids[worker], signal.SIGKILL)
        await listener.error("small")
        inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        listener.call("large", "take_and_die", inherited + (20 << 20))
        await listener.error("large")
    small, large = (death.peak_rss_bytes or 0 for death in listener.deaths)
    assert 1 << 20 < small < len(ballast) // 2
    assert large > inherited + (20 << 20)

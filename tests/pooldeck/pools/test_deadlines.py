"""Timeouts, and calls whose start is never reported."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
import uvloop

from pooldeck.kinds import PoolKind
from pooldeck.outcome import ErrorKind
from tests.support.pooled import EACH_KIND, eventually, pool


@pytest.mark.parametrize("function", ["rest", "hold_gil"])
async def test_a_process_is_killed_at_its_calls_timeout_whatever_it_does(function: str) -> None:
    async with pool("process", 1, spare=1) as listener:
        worker = await listener.running("late", function, 600, timeout=0.5)
        error = await listener.error("late")
        seconds = time.monotonic() - (listener.begun["late"].started_at or 0.0)
        assert 0.5 <= seconds < 5.0
        assert (error.kind, error.type) == (ErrorKind.TIMEOUT, "TimeoutError")
        assert "0.5 s after its start" in error.message
        assert not listener.deaths
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2
        assert listener.workers["next"] != worker


@EACH_KIND
async def test_a_call_that_minds_its_deadline_ends_by_itself_and_its_worker_lives(
    kind: PoolKind,
) -> None:
    async with pool(kind, 1) as listener:
        worker = await listener.running("heedful", "work_until_asked", timeout=0.1)
        assert (await listener.error("heedful")).kind is ErrorKind.TIMEOUT
        assert not listener.ended_late
        assert listener.pool.workers[worker].tasks_done == 1


@EACH_KIND
async def test_calls_that_end_in_time_are_left_alone(kind: PoolKind) -> None:
    async with pool(kind, 2, asked_seconds=0.0) as listener:
        for n in range(100):  # longer in all than the timeout of one
            listener.call(str(n), "rest", 0.1, timeout=4.0)
        for n in range(100):
            assert (await listener.outcome(str(n))).error is None


async def test_a_quick_call_that_once_holds_the_gil_is_timed_out_though_its_start_was_kept() -> (
    None
):
    async with pool("process", 1) as listener:
        for n in range(3):
            listener.call(f"quick {n}", "hold_gil", 0.0, timeout=0.5)
            await listener.result(f"quick {n}")
        listener.call("late", "hold_gil", 600, timeout=0.5)
        assert (await listener.error("late")).kind is ErrorKind.TIMEOUT


async def test_a_thread_past_its_timeout_is_abandoned_and_the_others_go_on(tmp_path: Path) -> None:
    async with pool("thread", 4) as listener:
        worker = await listener.running("other", "wait_for", str(tmp_path / "other"))
        await listener.running("late", "wait_for", str(tmp_path / "late"), timeout=0.2)
        error = await listener.error("late")
        assert error.kind is ErrorKind.TIMEOUT
        await eventually(lambda: listener.pool.free == 3)
        (tmp_path / "late").touch()
        await eventually(lambda: "late" in listener.ended_late)
        (tmp_path / "other").touch()
        await listener.result("other")
        assert list(listener.pool.workers) == [worker]


async def test_a_thread_that_holds_the_gil_past_its_timeout_costs_its_worker(
    tmp_path: Path,
) -> None:
    async with pool("thread", 4) as listener:
        worker = await listener.running("innocent", "wait_for", str(tmp_path / "never"))
        await listener.running("holder", "hold_gil", 600, timeout=0.5)
        assert (await listener.error("holder")).kind is ErrorKind.TIMEOUT
        error = await listener.error("innocent")
        assert error.kind is ErrorKind.BYSTANDER
        assert "(pool_functions.hold_gil) held the GIL after" in error.message
        seconds = time.monotonic() - (listener.begun["holder"].started_at or 0.0)
        assert seconds < 10.0
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2
        assert listener.workers["next"] != worker
        assert not listener.deaths


async def test_a_thread_that_holds_the_gil_is_found_out_beside_an_abandoned_one_that_sleeps(
    tmp_path: Path,
) -> None:
    async with pool("thread", 8) as listener:
        await listener.running("sleeper", "rest", 600, timeout=0.1)
        assert (await listener.error("sleeper")).kind is ErrorKind.TIMEOUT
        worker = await listener.running("innocent", "wait_for", str(tmp_path / "never"))
        await listener.running("holder", "hold_gil", 600, timeout=0.5)
        error = await listener.error("innocent")
        assert error.kind is ErrorKind.BYSTANDER
        assert "task holder (pool_functions.hold_gil)" in error.message
        assert worker not in listener.pool.workers or listener.pool.workers[worker].verdict
        assert not listener.deaths


async def test_an_abandoned_thread_that_takes_the_gil_later_is_found_out(tmp_path: Path) -> None:
    """It is noticed by the next call that is overdue, though that one only sleeps."""

    async with pool("thread", 8) as listener:
        await listener.running("later", "hold_gil_when", str(tmp_path / "now"), 600, timeout=0.1)
        assert (await listener.error("later")).kind is ErrorKind.TIMEOUT
        await eventually(lambda: listener.pool.free == 8)
        await listener.running("innocent", "wait_for", str(tmp_path / "never"))
        await listener.running("late", "rest", 600, timeout=1.0)
        (tmp_path / "now").touch()
        assert (await listener.error("late")).kind is ErrorKind.TIMEOUT
        error = await listener.error("innocent")
        assert error.kind is ErrorKind.BYSTANDER
        assert "task later (pool_functions.hold_gil_when)" in error.message


async def test_a_held_gil_alone_kills_nobody(tmp_path: Path) -> None:
    """One call keeps the GIL and has no timeout; another, asleep, is past its own meanwhile."""

    async with pool("thread", 8) as listener:
        worker = await listener.running("late", "rest", 30, timeout=1.0)
        await listener.running("holder", "hold_gil_when", str(tmp_path / "now"), 4.0)
        (tmp_path / "now").touch()
        assert (await listener.error("late")).kind is ErrorKind.TIMEOUT
        assert (await listener.outcome("holder")).error is None
        assert list(listener.pool.workers) == [worker]


@EACH_KIND
async def test_a_worker_that_does_not_begin_a_call_is_replaced_and_told_of(kind: PoolKind) -> None:
    async with pool(kind, 1, start_seconds=0.3) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers.values()
        os.kill(worker.pid, signal.SIGSTOP)
        listener.call("silent", "add", 1, 1)
        error = await listener.error("silent")
        assert error.kind is ErrorKind.BYSTANDER
        assert "whether it had begun is not known" in error.message
        (death,) = listener.deaths
        assert death.cause == "did not begin a task that it was given"
        assert (death.signal, death.exit_code) == (None, None)
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2


@EACH_KIND
async def test_a_worker_whose_gil_is_held_is_not_taken_for_a_silent_one(kind: PoolKind) -> None:
    async with pool(kind, 2, start_seconds=0.3) as listener:
        for n in range(3):  # so that its start is not worth a frame of its own
            listener.call(f"quick {n}", "hold_gil", 0.0)
            await listener.result(f"quick {n}")
        listener.call("long", "hold_gil", 2.0)
        assert await listener.result("long") >= 2.0


def test_a_server_that_was_held_up_reads_what_came_in_before_it_gives_a_call_up() -> None:
    async def story() -> None:
        async with pool("process", 2, asked_seconds=0.0) as listener:
            await eventually(lambda: listener.pool.free == 2)
            worker = await listener.running("in time", "rest", 0.2, timeout=2.0)
            listener.seconds_per_start = 4.0
            listener.call("other", "add", 1, 1)
            assert (await listener.outcome("in time")).error is None
            assert listener.pool.workers[worker].verdict is None

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # looks at timers first
        runner.run(story())

"""How workers come and go: in time or not, and what is left of them."""

import asyncio
import gc
import os
import signal
import socket
import time
import weakref
from pathlib import Path

import pytest
import uvloop

from pooldeck.pools.model import PoolState
from pooldeck.pools.supervisor import WorkerProcess
from tests.support.pooled import eventually, is_alive, pool


def test_a_worker_that_got_ready_while_the_server_was_held_up_counts() -> None:
    async def story() -> None:
        async with pool("process", 1, boot_seconds=5.0) as listener:
            hold_up_when_reading(after=0.0, seconds=15.0)
            listener.call("sum", "add", 1, 1)
            assert await listener.result("sum") == 2
            assert listener.workers["sum"] == "p-1"

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # looks at timers first
        runner.run(story())


def test_a_worker_that_gets_ready_just_when_it_is_given_up_is_no_incident() -> None:
    async def story() -> None:
        async with pool(
            "process", 1, boot_seconds=0.3, initializer="pool_functions.take_a_second"
        ) as listener:
            hold_up_when_reading(after=0.32, seconds=3.0)
            await eventually(lambda: listener.pool.state is PoolState.BROKEN)
            assert "after 0.3 seconds" in (listener.pool.reason or "")
            assert listener.deaths == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


def test_starts_that_fail_now_and_then_break_no_pool_whose_workers_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVERY_OTHER", str(tmp_path / "starts"))

    async def story() -> None:
        async with pool(
            "process", 1, max_tasks_per_worker=1, initializer="pool_functions.fail_every_other_time"
        ) as listener:
            for n in range(6):
                listener.call(str(n), "add", n, n)
            await eventually(lambda: listener.has_outcomes(6))
            assert listener.pool.state is PoolState.RUNNING

    asyncio.run(story())
    assert len((tmp_path / "starts").read_text()) >= 10


async def test_nothing_is_left_of_a_worker_that_is_gone_however_long_it_had_leave_to_take() -> None:
    async with pool(
        "process", 1, max_tasks_per_worker=1, boot_seconds=600.0, leave_seconds=600.0
    ) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers.values()
        process = weakref.ref(worker.process)
        del worker
        listener.call("only", "add", 1, 1)
        await listener.result("only")
        await eventually(lambda: is_forgotten(process))


async def test_a_worker_that_does_not_leave_is_ended() -> None:
    async with pool("process", 1, leave_seconds=0.2) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers.values()
        os.kill(worker.pid, signal.SIGSTOP)
        listener.pool.drain()
        await eventually(lambda: listener.pool.state is PoolState.STOPPED)
        assert not is_alive(worker.pid)
        assert listener.deaths == []


def hold_up_when_reading(after: float, seconds: float) -> None:
    """Hold up the event loop at a moment when it has just asked what there is to read."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    def hold_up() -> None:
        loop.remove_reader(ours)
        ours.close()
        time.sleep(seconds)

    loop.add_reader(ours, hold_up)
    loop.call_later(after, theirs.close)


def is_forgotten(process: weakref.ref[WorkerProcess]) -> bool:
    gc.collect()
    return process() is None

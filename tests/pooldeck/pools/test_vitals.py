"""Workers that are there and can do nothing are noticed within seconds, told of and replaced."""

import asyncio
import os
import signal

import pytest

from pooldeck.kinds import PoolKind
from tests.support.pooled import EACH_KIND, Listener, eventually, pool

MODULES = ("pool_functions", "hostile_functions")
STOPPED = "stood still, stopped by a signal"


async def told_of(listener: Listener) -> str:
    """Return the cause of the only death, once the next call has run elsewhere."""
    await eventually(lambda: bool(listener.deaths))
    listener.call("next", "add", 1, 1)
    assert await listener.result("next") == 2
    (death,) = listener.deaths
    return death.cause


@pytest.mark.parametrize(
    ("kind", "act", "cause"),
    [
        ("process", "stop_self", STOPPED),
        ("thread", "stop_self", STOPPED),
        ("process", "become_sleep", "became another program"),
        ("thread", "become_sleep", "became another program"),
        ("thread", "become_python", "left its pipe to the server"),
        ("process", "end_main_thread", "lost its main thread"),
    ],
)
async def test_a_worker_that_a_task_has_made_useless_is_an_incident(
    kind: str, act: str, cause: str
) -> None:
    async with pool(kind, 1, modules=MODULES) as listener:
        listener.call("culprit", f"hostile_functions.{act}")
        assert await told_of(listener) == cause
        (death,) = listener.deaths
        assert death.culprit is not None
        assert death.culprit.task == "culprit"
        assert (death.signal, death.exit_code) == (None, None)
        assert cause in (await listener.error("culprit")).message


@EACH_KIND
async def test_an_idle_worker_that_somebody_stops_is_replaced(kind: PoolKind) -> None:
    async with pool(kind, 1) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers.values()
        os.kill(worker.pid, signal.SIGSTOP)
        assert await told_of(listener) == STOPPED


async def test_a_worker_whose_main_thread_is_blocked_is_replaced() -> None:
    async with pool(
        "thread",
        2,
        start_seconds=0.5,
        modules=MODULES,
        initializer="hostile_functions.block_main_thread_on_signal",
    ) as listener:
        await listener.running("culprit", "hostile_functions.block_main_thread")
        listener.call("deaf", "add", 1, 1)
        assert await told_of(listener) == "did not begin a task that it was given"


@EACH_KIND
async def test_a_worker_that_is_stopped_for_a_moment_goes_on(kind: PoolKind) -> None:
    async with pool(kind, 1) as listener:
        await listener.running("held up", "rest", 2.5)
        (worker,) = [one for one in listener.pool.workers.values() if one.running]
        os.kill(worker.pid, signal.SIGSTOP)
        await asyncio.sleep(1.2)
        os.kill(worker.pid, signal.SIGCONT)
        assert (await listener.outcome("held up")).error is None
        assert listener.deaths == []

"""Signals to workers that the server has not sent: for one of them alone, or for all."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.outcome import ErrorKind
from tests.support.pooled import EACH_KIND, eventually, pool


@EACH_KIND
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_who_signals_one_worker_ends_it_and_accuses_nobody(
    tmp_path: Path, kind: PoolKind, number: int
) -> None:
    async with pool(kind, 1, is_ending=lambda: False) as listener:
        worker = await listener.running("ended", "wait_for", str(tmp_path / "never"))
        os.kill(listener.pool.pids[worker], number)
        error = await listener.error("ended")
        assert error.kind is ErrorKind.BYSTANDER
        assert f"killed by {signal.Signals(number).name}" in error.message
        assert "from outside" in error.message
        listener.call("next", "add", 1, 2)
        assert await listener.result("next") == 3
        (death,) = listener.deaths
        assert (death.cause, death.signal) == (f"killed by {signal.Signals(number).name}", number)
        assert death.culprit is None
        assert [call.task for call in death.suspects] == ["ended"]


async def test_a_worker_whose_gil_is_held_is_ended_by_a_signal_as_any_other() -> None:
    async with pool("thread", 2, is_ending=lambda: False) as listener:
        worker = await listener.running("held", "hold_gil", 600)
        os.kill(listener.pool.pids[worker], signal.SIGTERM)
        assert "killed by SIGTERM" in (await listener.error("held")).message


async def test_ctrl_c_at_one_worker_ends_nothing(tmp_path: Path) -> None:
    async with pool("process", 1, is_ending=lambda: False) as listener:
        worker = await listener.running("goes on", "wait_for", str(tmp_path / "gate"))
        os.kill(listener.pool.pids[worker], signal.SIGINT)
        (tmp_path / "gate").touch()
        assert await listener.result("goes on") == str(tmp_path / "gate")
        assert listener.deaths == []


@EACH_KIND
async def test_a_signal_to_all_ends_no_worker_whoever_gets_it_first(
    tmp_path: Path, kind: PoolKind
) -> None:
    ending = asyncio.Event()
    async with pool(kind, 1, is_ending=ending.is_set) as listener:
        worker = await listener.running("goes on", "wait_for", str(tmp_path / "gate"))
        os.kill(listener.pool.pids[worker], signal.SIGTERM)
        asyncio.get_running_loop().call_later(0.2, ending.set)
        await ending.wait()
        os.kill(listener.pool.pids[worker], signal.SIGTERM)
        await asyncio.sleep(1.5)  # longer than it is waited for the server to be told as well
        (tmp_path / "gate").touch()
        assert await listener.result("goes on") == str(tmp_path / "gate")
        assert listener.deaths == []


async def test_what_a_worker_reports_after_a_signal_is_heard_when_it_is_known_whom_it_is_for(
    tmp_path: Path,
) -> None:
    ending = asyncio.Event()
    async with pool("process", 1, is_ending=ending.is_set) as listener:
        worker = await listener.running("reported", "wait_for", str(tmp_path / "gate"))
        os.kill(listener.pool.pids[worker], signal.SIGTERM)
        process = listener.pool.workers[worker].process
        await eventually(lambda: bool(process._signals))
        (tmp_path / "gate").touch()
        await eventually(lambda: bool(process._held))
        assert "reported" not in listener.outcomes
        ending.set()
        assert await listener.result("reported") == str(tmp_path / "gate")


async def test_a_worker_that_a_task_lets_be_ended_is_no_incident_when_the_server_ends() -> None:
    async with pool("process", 1, is_ending=lambda: True) as listener:
        await listener.running("ended", "kill_by_default", int(signal.SIGTERM))
        error = await listener.error("ended")
        assert error.kind is ErrorKind.INTERRUPTED
        assert listener.deaths == []


async def test_a_signal_while_a_worker_starts_is_no_end_either() -> None:
    async with pool("process", 2, is_ending=lambda: True) as listener:
        for pid in listener.pool.pids.values():
            os.kill(pid, signal.SIGTERM)
        listener.call("sum", "add", 1, 2)
        assert await listener.result("sum") == 3
        assert set(listener.pool.workers) == {"p-1", "p-2"}

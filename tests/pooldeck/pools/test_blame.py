"""A worker's death: who is to blame, who is not, and how soon others go on."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from pooldeck.kinds import Ending, PoolKind
from pooldeck.outcome import ErrorKind
from pooldeck.pools.blame import _SENTENCES
from pooldeck.pools.model import PoolState, WorkerState
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.worker import EndReason
from tests.support.pooled import EACH_KIND, Listener, eventually, is_alive, pool


async def death_among_three(folder: Path, function: str, *args: object) -> Listener:
    """Have one of three calls of a thread worker end it; its id is "culprit"."""
    async with pool("thread", 4, folder=folder) as listener:
        for task in ("first", "second"):
            await listener.running(task, "wait_for", str(folder / "never"))
        listener.call("culprit", function, *args)
        await eventually(lambda: len(listener.outcomes) == 3)
        return listener


@pytest.mark.parametrize(("function", "args"), [("segfault", ()), ("leave", (1,))])
def test_among_several_threads_the_guilty_one_is_named(
    tmp_path: Path, function: str, args: tuple[int, ...]
) -> None:
    listener = asyncio.run(death_among_three(tmp_path, function, *args))
    (death,) = listener.deaths
    assert death.culprit is not None
    assert death.culprit.task == "culprit"
    assert {one.task for one in death.bystanders} == {"first", "second"}
    assert not death.suspects
    kinds = {
        task: outcome.error and outcome.error.kind for task, outcome in listener.outcomes.items()
    }
    assert kinds == {
        "culprit": ErrorKind.CRASHED,
        "first": ErrorKind.BYSTANDER,
        "second": ErrorKind.BYSTANDER,
    }


def test_where_nobody_can_be_named_all_that_ran_are_suspects(tmp_path: Path) -> None:
    listener = asyncio.run(death_among_three(tmp_path, "kill_self", signal.SIGKILL))
    (death,) = listener.deaths
    assert death.culprit is None
    assert {one.task for one in death.suspects} == {"first", "second", "culprit"}
    assert death.cause == "killed by SIGKILL"
    assert {outcome.error and outcome.error.kind for outcome in listener.outcomes.values()} == {
        ErrorKind.BYSTANDER
    }


async def test_an_abandoned_thread_that_ends_its_worker_is_the_culprit(tmp_path: Path) -> None:
    async with pool("thread", 8, folder=tmp_path) as listener:
        await listener.running("other", "wait_for", str(tmp_path / "never"))
        await listener.running("abandoned", "segfault_when", str(tmp_path / "go"))
        assert listener.pool.kill("abandoned") is Ending.ABANDONED
        (tmp_path / "go").touch()
        assert (await listener.error("other")).kind is ErrorKind.BYSTANDER
        (death,) = listener.deaths
        assert death.culprit is not None
        assert death.culprit.task == "abandoned"
        assert (await listener.error("abandoned")).kind is ErrorKind.ABANDONED


@EACH_KIND
async def test_a_death_is_described_with_exit_pid_and_peak_memory(kind: PoolKind) -> None:
    async with pool(kind, 1) as listener:
        listener.call("culprit", "kill_self", signal.SIGABRT)
        await listener.error("culprit")
        (death,) = listener.deaths
        assert (death.cause, death.signal) == ("killed by SIGABRT", signal.SIGABRT)
        assert death.exit_code is None
        assert death.pid > 0
        assert (death.peak_rss_bytes or 0) > 1_000_000


@EACH_KIND
async def test_the_death_of_an_idle_worker_is_an_incident_without_a_culprit(kind: PoolKind) -> None:
    async with pool(kind, 1) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers.values()
        os.kill(worker.pid, signal.SIGKILL)
        await eventually(lambda: bool(listener.recovered_in))
        (death,) = listener.deaths
        assert death.culprit is None
        assert not death.suspects


async def test_memory_is_named_only_where_the_kernels_count_rose(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 4194304 kB\n")
    vmstat = tmp_path / "proc/vmstat"
    vmstat.write_text("oom_kill 3\n")

    async with pool("process", 1, memory=MemoryWatch(tmp_path)) as listener:
        worker = await listener.running("plain", "wait_for", str(tmp_path / "never"))
        listener.pool.note_memory(worker, 1)
        os.kill(listener.pool.workers[worker].pid, signal.SIGKILL)
        assert "memory" not in (await listener.error("plain")).message
        worker = await listener.running("large", "wait_for", str(tmp_path / "never"))
        vmstat.write_text("oom_kill 4\n")
        os.kill(listener.pool.workers[worker].pid, signal.SIGKILL)
        assert "probably out of memory" in (await listener.error("large")).message
        assert listener.deaths[1].cause.startswith("killed by SIGKILL, probably out of memory")
        assert listener.deaths[1].cause.endswith("of 4.0 GiB")


async def test_a_spare_is_started_with_the_first_call_and_not_before() -> None:
    async with pool("process", 2, spare=1) as listener:
        await eventually(lambda: listener.pool.free == 2)
        assert len(listener.pool.workers) == 2
        listener.call("first", "add", 1, 1)
        await eventually(lambda: len(listener.ids(WorkerState.SPARE)) == 1)
        assert len(listener.pool.workers) == 3


async def test_a_spare_is_ready_beside_the_slots_and_takes_a_dead_ones_place() -> None:
    async with pool("process", 2, spare=1) as listener:
        listener.call("first", "add", 1, 1)
        assert await listener.result("first") == 2
        await eventually(lambda: len(listener.ids(WorkerState.SPARE)) == 1)
        assert listener.pool.free == 2
        (spare,) = listener.ids(WorkerState.SPARE)
        listener.call("culprit", "leave", 1)
        listener.call("next", "add", 1, 1)
        listener.call("last", "add", 1, 1)
        for task in ("culprit", "next", "last"):
            await listener.outcome(task)
        assert spare in listener.ids(WorkerState.IDLE, WorkerState.BUSY)
        await eventually(lambda: len(listener.ids(WorkerState.SPARE)) == 1)
        assert len(listener.pool.workers) == 3


async def test_with_a_warm_spare_the_next_call_starts_at_once(tmp_path: Path) -> None:
    async def gap(listener: Listener, n: int) -> float:
        await eventually(lambda: bool(listener.ids(WorkerState.SPARE)))
        worker = await listener.running(f"victim {n}", "wait_for", str(tmp_path / "never"))
        listener.call(f"next {n}", "add", 1, 1)
        killed_at = time.monotonic()
        os.kill(listener.pool.workers[worker].pid, signal.SIGKILL)
        await listener.outcome(f"next {n}")
        return (listener.begun[f"next {n}"].started_at or 0.0) - killed_at

    async with pool("process", 1, spare=1) as listener:
        listener.call("first", "add", 1, 1)
        gaps = [await gap(listener, n) for n in range(5)]
        assert all(gap > 0.0 for gap in gaps)
        assert min(gaps) < 0.05
        assert min(listener.recovered_in.values()) < 0.05


async def test_recovery_takes_until_all_slots_are_back() -> None:
    async with pool("thread", 2) as listener:
        listener.call("culprit", "leave", 1)
        await listener.outcome("culprit")
        assert not listener.recovered_in
        assert listener.pool.free == 0
        await eventually(lambda: listener.pool.free == 2)
        (seconds,) = listener.recovered_in.values()
        assert seconds > 0.01  # a process was started meanwhile


async def test_what_left_the_workers_session_dies_with_it_too(tmp_path: Path) -> None:
    note = tmp_path / "child"

    async with pool("process", 1) as listener:
        listener.call("culprit", "leave_with_session", str(note))
        await listener.error("culprit")
        child = int(note.read_text())
        await eventually(lambda: not is_alive(child))


async def test_workers_that_die_after_each_start_break_the_pool_and_a_restart_tries_again() -> None:
    async with pool("process", 1, initializer="pool_functions.die") as listener:
        await eventually(lambda: listener.pool.state is PoolState.BROKEN)
        deaths = len(listener.deaths)
        assert 0 < deaths < 10
        assert "when it had just started" in (listener.pool.reason or "")
        listener.pool.restart()
        assert listener.pool.state is PoolState.RUNNING
        await eventually(lambda: len(listener.deaths) > deaths)


@EACH_KIND
async def test_a_call_that_may_not_have_begun_when_its_worker_was_killed_is_not_accused(
    kind: PoolKind,
) -> None:
    async with pool(kind, 1) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers.values()
        os.kill(worker.pid, signal.SIGSTOP)
        listener.call("on its way", "add", 1, 1)
        os.kill(worker.pid, signal.SIGKILL)
        error = await listener.error("on its way")
        assert error.kind is ErrorKind.BYSTANDER
        assert "whether it had begun is not known" in error.message
        (death,) = listener.deaths
        assert death.culprit is None
        assert [one.task for one in death.suspects] == ["on its way"]


def test_whatever_a_worker_is_ended_for_there_is_a_sentence_for_its_calls() -> None:
    assert set(_SENTENCES) == set(EndReason)

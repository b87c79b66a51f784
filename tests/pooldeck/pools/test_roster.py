"""What can be done to a pool while it works: resize, pause, drain, restart, recycle."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.outcome import ErrorKind
from pooldeck.pools.model import PoolState, WorkerState
from tests.support.pooled import EACH_KIND, Listener, eventually, pool

MIB = 1024 * 1024
AT_WORK = (WorkerState.IDLE, WorkerState.BUSY, WorkerState.SPARE)


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a module whose function says which version it is."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    source = folder / "restarted_jobs.py"
    write_version(source, 1)
    return source


def write_version(source: Path, version: int) -> None:
    source.write_text(
        "from pooldeck import task\n\n@task\ndef version() -> int:\n"
        f'    """Return the version of this file."""\n    return {version}\n'
    )


def write_nonsense(source: Path) -> None:
    source.write_text("raise RuntimeError('not finished yet')\n")


async def version(listener: Listener, task: str) -> object:
    listener.call(task, "restarted_jobs.version")
    return await listener.result(task)


# Size.


async def test_a_thread_pool_is_resized_without_another_worker() -> None:
    async with pool("thread", 2) as listener:
        await eventually(lambda: listener.pool.free == 2)
        before = set(listener.pool.workers)
        listener.pool.resize(6)
        assert listener.pool.free == 6
        listener.pool.resize(3)
        assert listener.pool.free == 3
        assert set(listener.pool.workers) == before


# Restart.


@EACH_KIND
async def test_a_restart_loads_the_code_again_one_worker_after_the_other(
    kind: PoolKind, jobs: Path, tmp_path: Path
) -> None:
    modules = ("restarted_jobs", "pool_functions")
    async with pool(kind, 2, modules=modules, spare=kind == "process") as listener:
        await eventually(lambda: listener.pool.free == 2)
        await eventually(lambda: not listener.ids(WorkerState.STARTING))
        assert await version(listener, "before") == 1
        before = set(listener.pool.workers)
        await listener.running("long", "wait_for", str(tmp_path / "go"))
        write_version(jobs, 2)
        listener.pool.restart()
        while before & listener.ids(*AT_WORK):
            assert listener.pool.free >= 1  # there is room all the time
            await asyncio.sleep(0.005)
        assert await version(listener, "after") == 2
        (tmp_path / "go").touch()
        assert (await listener.outcome("long")).error is None
        await eventually(lambda: listener.pool.free == 2)
        await eventually(lambda: not set(listener.pool.workers) & before)
        assert not listener.deaths
        assert listener.pool.reason is None


async def test_never_more_calls_run_than_there_are_slots_during_a_restart(tmp_path: Path) -> None:
    async with pool("process", 2, spare=1) as listener:
        for n in range(2):
            await listener.running(f"long {n}", "wait_for", str(tmp_path / "go"))
        await eventually(lambda: bool(listener.ids(WorkerState.SPARE)))
        before = set(listener.pool.workers)
        listener.pool.restart()
        listener.call("next", "add", 1, 1)
        await eventually(lambda: not before & listener.ids(*AT_WORK))
        await eventually(lambda: len(listener.ids(WorkerState.SPARE)) == 3)
        assert "next" not in listener.begun
        (tmp_path / "go").touch()
        assert await listener.result("next") == 2
        assert listener.most_busy == 2


async def test_each_worker_is_retired_when_its_own_successor_is_ready_and_not_before(
    tmp_path: Path,
) -> None:
    async with pool("process", 3) as listener:
        for n in range(3):
            await listener.running(f"long {n}", "wait_for", str(tmp_path / "go"))
        before = set(listener.pool.workers)
        listener.pool.restart()
        while before & listener.ids(*AT_WORK):
            assert len(listener.ids(WorkerState.STARTING)) <= 1
            assert len(listener.ids(WorkerState.STOPPING)) <= len(listener.ids(*AT_WORK) - before)
            await asyncio.sleep(0.005)
            listener.pool.resize(3)  # so that it looks at its workers all the time
        (tmp_path / "go").touch()
        await eventually(lambda: listener.pool.free == 3)


@EACH_KIND
async def test_a_restart_onto_code_that_does_not_load_leaves_the_old_workers_at_work(
    kind: PoolKind, jobs: Path
) -> None:
    async with pool(kind, 2, modules=("restarted_jobs",)) as listener:
        await eventually(lambda: listener.pool.free == 2)
        before = set(listener.pool.workers)
        write_nonsense(jobs)
        listener.pool.restart()
        await eventually(lambda: listener.pool.reason is not None)
        assert "not finished yet" in (listener.pool.reason or "")
        assert listener.pool.state is PoolState.RUNNING
        assert await version(listener, "still") == 1
        assert set(listener.pool.workers) == before
        write_version(jobs, 3)
        listener.pool.restart()
        await eventually(lambda: not set(listener.pool.workers) & before)
        assert await version(listener, "mended") == 3
        assert listener.pool.reason is None


async def test_a_restart_mends_a_broken_pool(jobs: Path) -> None:
    write_nonsense(jobs)
    async with pool("process", 1, modules=("restarted_jobs",)) as listener:
        await eventually(lambda: listener.pool.state is PoolState.BROKEN)
        assert "not finished yet" in (listener.pool.reason or "")
        write_version(jobs, 2)
        listener.pool.restart()
        assert await version(listener, "mended") == 2
        assert listener.pool.state is PoolState.RUNNING
        assert listener.pool.reason is None


# Recycling.


@pytest.mark.parametrize("spare", [0, 1])
async def test_a_process_worker_runs_no_more_than_its_number_of_tasks(spare: int) -> None:
    async with pool("process", 1, spare=spare, max_tasks_per_worker=3) as listener:
        listener.all_quick = True
        for n in range(9):
            listener.call(str(n), "whose")
        pids = [await listener.result(str(n)) for n in range(9)]
        assert max(Counter(pids).values()) <= 3
        if not listener.came_back:
            assert [len(set(pids[n : n + 3])) for n in (0, 3, 6)] == [1, 1, 1]
            assert len(set(pids)) == 3
        assert listener.most_busy <= 1
        assert not listener.deaths


async def test_a_thread_worker_goes_on_after_its_number_of_tasks_until_another_is_ready() -> None:
    async with pool("thread", 2, max_tasks_per_worker=10) as listener:
        for n in range(11):
            listener.call(str(n), "whose")
        pids = {await listener.result(str(n)) for n in range(11)}
        assert len(pids) == 1
        (first,) = pids
        await eventually(lambda: [one.pid for one in listener.pool.workers.values()] != [first])
        await eventually(lambda: listener.pool.free == 2)
        assert [one.pid for one in listener.pool.workers.values()] != [first]
        assert not listener.deaths


async def test_of_several_threads_none_is_accused_of_using_too_much_memory() -> None:
    async with pool("thread", 2, max_memory_bytes=200 * MIB) as listener:
        worker = await listener.running("one", "rest", 600)
        await listener.running("two", "rest", 600)
        listener.pool.note_memory(worker, 400 * MIB)
        for task in ("one", "two"):
            error = await listener.error(task)
            assert error.kind is ErrorKind.BYSTANDER
            assert "400 MiB" in error.message


async def test_a_worker_that_needs_much_memory_before_its_first_call_is_left_alone() -> None:
    async with pool("process", 1, max_memory_bytes=MIB) as listener:
        await eventually(lambda: listener.pool.free == 1)
        (worker,) = listener.pool.workers
        listener.pool.note_memory(worker, 100 * MIB)
        listener.call("first", "add", 1, 1)
        assert await listener.result("first") == 2
        assert listener.workers["first"] == worker


@EACH_KIND
async def test_what_is_abandoned_while_its_worker_retires_does_not_keep_it(
    kind: PoolKind, tmp_path: Path
) -> None:
    async with pool(kind, 1) as listener:
        await listener.running("last", "hold_gil", 600)
        listener.pool.drain()
        listener.pool.kill("last")
        await eventually(lambda: listener.pool.state is PoolState.STOPPED)
        listener.pool.resume()
        listener.call("next", "wait_for", str(tmp_path))
        assert (await listener.outcome("next")).error is None

"""A worker that is sent away ends as a program does, in the time that it has."""

import logging
import time
from pathlib import Path

import pytest

from pooldeck.kinds import Ending, PoolKind
from tests.support.pooled import EACH_KIND, Listener, eventually, is_alive, pool

MODULES = ("leaving_functions", "pool_functions")
AT_THE_END = {"atexit", "finalize", "folder", "sender", "poller", "buffer"}
HOWS = (*sorted(AT_THE_END), "thread", "executor")


def ended(folder: Path) -> list[str]:
    note = folder / "ended"
    return sorted(note.read_text().split()) if note.exists() else []


def scratch(folder: Path) -> list[Path]:
    return list(folder.glob("scratch-*"))


async def note_all(listener: Listener, folder: Path) -> int:
    """Have a worker note its end in every way there is; return its process."""
    pids = set()
    for how in HOWS:
        listener.call(how, "leaving_functions.note_at_end", how, str(folder))
        pids.add(await listener.result(how))
    (process,) = pids
    return int(process)


@EACH_KIND
@pytest.mark.parametrize("way", ["restart", "drain", "resize", "stop"])
async def test_a_worker_that_leaves_runs_what_was_registered_for_its_end(
    tmp_path: Path, kind: PoolKind, way: str
) -> None:
    async with pool(kind, 1, modules=MODULES, leave_seconds=20.0) as listener:
        process = await note_all(listener, tmp_path)
        assert AT_THE_END.isdisjoint(ended(tmp_path))
        assert len(scratch(tmp_path)) == 1
        if way == "restart":
            listener.pool.restart()
        elif way == "drain":
            listener.pool.drain()
        elif way == "resize" and kind is PoolKind.PROCESS:
            listener.pool.resize(2)
            await eventually(lambda: listener.pool.free == 2)
            listener.pool.resize(1)  # the first of two that are idle
        else:
            await listener.pool.stop(5)
        await eventually(lambda: not is_alive(process))
    assert ended(tmp_path) == sorted(HOWS)
    assert scratch(tmp_path) == []


async def test_a_worker_that_is_recycled_runs_it_while_its_successor_takes_calls(
    tmp_path: Path,
) -> None:
    options = {"max_tasks_per_worker": 1, "leave_seconds": 600.0, "folder": tmp_path}
    async with pool("process", 1, modules=MODULES, **options) as listener:  # type: ignore[arg-type]  # of each kind
        listener.call("first", "leaving_functions.hang_at_end")
        process = await listener.result("first")
        listener.call("second", "leaving_functions.pid")
        assert await listener.result("second") != process
        assert is_alive(process)
        for worker in listener.pool.workers.values():
            if worker.pid == process:
                worker.process.kill()


@EACH_KIND
async def test_a_worker_that_does_not_end_in_time_is_killed_and_the_log_says_where_it_was(
    tmp_path: Path, kind: PoolKind, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with pool(kind, 1, modules=MODULES, folder=tmp_path, leave_seconds=2.0) as listener:
            listener.call("hangs", "leaving_functions.hang_at_end")
            process = await listener.result("hangs")
        assert not is_alive(process)
    (said,) = [line for line in caplog.messages if "was killed" in line]
    assert "it had not ended 2." in said
    assert "(_hang)" in said
    assert listener.deaths == []


@EACH_KIND
async def test_the_log_says_what_ended_a_worker_before_it_was_done(
    tmp_path: Path, kind: PoolKind, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with pool(kind, 1, modules=MODULES, folder=tmp_path) as listener:
            listener.call("crashes", "leaving_functions.crash_at_end")
            process = await listener.result("crashes")
    (said,) = caplog.messages
    assert f"(pid {process}) was killed by SIGSEGV while it ended" in said
    assert listener.deaths == []


async def test_a_thread_that_does_not_end_leaves_time_for_the_rest(tmp_path: Path) -> None:
    async with pool("process", 1, modules=MODULES, leave_seconds=3.0) as listener:
        listener.call("stays", "leaving_functions.leave_for_a_while", str(tmp_path / "never"))
        await listener.result("stays")
        listener.call("noted", "leaving_functions.note_at_end", "atexit", str(tmp_path))
        await listener.result("noted")
    assert ended(tmp_path) == ["atexit"]


@pytest.mark.parametrize("function", ["wait_for_ever", "wait_for_helper"])
async def test_an_abandoned_thread_holds_up_nothing(tmp_path: Path, function: str) -> None:
    async with pool("thread", 4, modules=MODULES, leave_seconds=60.0) as listener:
        await listener.running("hangs", f"leaving_functions.{function}")
        await note_all(listener, tmp_path)
        assert listener.pool.kill("hangs") is Ending.ABANDONED
        await eventually(lambda: "hangs" in listener.outcomes)
        told_at = time.monotonic()
    assert ended(tmp_path) == sorted(HOWS)
    assert time.monotonic() - told_at < 20.0  # a third of the time it has


async def test_a_worker_that_is_killed_runs_nothing_of_it(tmp_path: Path) -> None:
    async with pool("process", 1, modules=MODULES) as listener:
        process = await note_all(listener, tmp_path)
        (worker,) = listener.pool.workers
        listener.pool.kill_worker(worker)
        await eventually(lambda: not is_alive(process))
    assert AT_THE_END.isdisjoint(ended(tmp_path))

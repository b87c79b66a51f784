"""What a pool makes of calls and workers beyond its port's promises, kind by kind."""

import asyncio
from pathlib import Path

from pooldeck.kinds import PoolKind
from pooldeck.outcome import ErrorKind
from pooldeck.pools.model import PoolState
from tests.support.pooled import EACH_KIND, eventually, is_alive, pool


async def test_quick_calls_wait_in_a_worker_behind_each_other_and_run_in_order() -> None:
    async with pool("process", 1) as listener:
        listener.all_quick = True
        await eventually(lambda: listener.pool.free == 1)
        for n in range(30):
            listener.call(str(n), "add", n, n)
        assert len(listener.waiting) < 29  # one runs, others are in its worker's hands
        assert listener.pool.busy == 1
        for n in range(30):
            assert (await listener.outcome(str(n))).result == str(2 * n).encode()
        if not listener.came_back:  # where the machine pauses, quick calls are not quick
            assert list(listener.outcomes) == [str(n) for n in range(30)]


async def test_what_waits_behind_a_call_that_takes_long_comes_back_and_runs_elsewhere(
    tmp_path: Path,
) -> None:
    async with pool("process", 2) as listener:
        listener.all_quick = True
        await eventually(lambda: listener.pool.free == 2)
        for n in range(2):
            listener.call(f"long {n}", "wait_for", str(tmp_path / f"go {n}"))
        for n in range(6):
            listener.call(f"behind {n}", "add", n, 1)
        await eventually(lambda: len(listener.came_back) == 6)
        (tmp_path / "go 0").touch()
        for n in range(6):
            assert (await listener.outcome(f"behind {n}")).result == str(n + 1).encode()
        assert "long 1" not in listener.outcomes
        (tmp_path / "go 1").touch()
        assert (await listener.outcome("long 1")).error is None


async def test_nothing_is_put_again_behind_a_call_that_others_came_back_from(
    tmp_path: Path,
) -> None:
    async with pool("process", 1) as listener:
        listener.all_quick = True
        await eventually(lambda: listener.pool.free == 1)
        listener.call("long", "wait_for", str(tmp_path / "go"))
        listener.call("behind", "add", 1, 1)
        await eventually(lambda: listener.came_back == ["behind"])
        listener.all_quick = True
        listener.call("later", "add", 2, 2)
        assert [call.task for call in listener.waiting] == ["behind", "later"]
        (tmp_path / "go").touch()
        assert (await listener.outcome("behind")).result == b"2"
        assert (await listener.outcome("later")).result == b"4"


async def test_a_crash_costs_the_call_that_ran_and_none_that_waited_behind_it() -> None:
    async with pool("process", 1) as listener:
        listener.all_quick = True
        await eventually(lambda: listener.pool.free == 1)
        listener.call("before", "add", 1, 1)
        listener.call("culprit", "leave", 1)
        for n in range(3):
            listener.call(f"behind {n}", "add", n, 1)
        error = (await listener.outcome("culprit")).error
        assert error is not None
        assert error.kind is ErrorKind.CRASHED
        for n in range(3):
            assert (await listener.outcome(f"behind {n}")).result == str(n + 1).encode()
        assert (await listener.outcome("before")).result == b"2"
        behind = [task for task in listener.came_back if task != "culprit"]
        assert behind == ["behind 0", "behind 1", "behind 2"]


@EACH_KIND
def test_a_segfault_comes_with_the_python_traceback_and_leaves_no_file(
    kind: PoolKind, tmp_path: Path
) -> None:
    async def story() -> None:
        async with pool(kind, 1, folder=tmp_path) as listener:
            listener.call("culprit", "segfault")
            error = (await listener.outcome("culprit")).error
            assert error is not None
            assert error.traceback is not None
            assert "in segfault" in error.traceback

    asyncio.run(story())
    assert not list(tmp_path.iterdir())


async def test_in_a_process_pool_nobody_but_the_culprit_is_touched(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async with pool("process", 2) as listener:
        listener.call("other", "wait_for", str(gate))
        await eventually(lambda: "other" in listener.begun)
        listener.call("culprit", "leave", 1)
        assert (await listener.outcome("culprit")).error is not None
        gate.touch()
        assert (await listener.outcome("other")).error is None


async def test_what_a_worker_started_dies_with_it(tmp_path: Path) -> None:
    note = tmp_path / "child"

    async with pool("process", 1) as listener:
        listener.call("culprit", "leave_with_child", str(note))
        assert (await listener.outcome("culprit")).error is not None
        child = int(note.read_text())
        await eventually(lambda: not is_alive(child))


async def test_a_worker_that_hangs_at_its_start_is_given_up() -> None:
    async with pool("process", 1, initializer="pool_functions.hang", boot_seconds=2) as listener:
        await eventually(lambda: listener.pool.state is PoolState.BROKEN)
        assert listener.pool.reason is not None
        assert "not ready after 2 seconds" in listener.pool.reason


async def test_a_call_larger_than_the_pipe_arrives_whole() -> None:
    async with pool("process", 1) as listener:
        listener.call("large", "wait_for", "x" * 2_000_000)
        outcome = await listener.outcome("large")
        assert outcome.error is not None
        assert outcome.error.type == "OSError"  # the file name is too long, all of it


async def test_threads_are_numbered_from_one(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async with pool("thread", 3) as listener:
        for task in "abc":
            listener.call(task, "wait_for", str(gate))
        await eventually(lambda: len(listener.begun) == 3)
        gate.touch()
        assert {listener.begun[task].thread for task in "abc"} == {1, 2, 3}

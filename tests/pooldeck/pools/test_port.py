"""What every kind of pool promises through its port, here and on a host; real workers."""

import asyncio
import itertools
import secrets
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from pooldeck.commands import Command
from pooldeck.functions import Options
from pooldeck.kinds import KINDS, Ending, PoolKind
from pooldeck.outcome import ErrorKind, Outcome
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolSpec, PoolState, WorkerState
from pooldeck.pools.pool import Pool
from pooldeck.pools.port import PoolPort
from pooldeck.protocol import Call
from tests.support.hosted import pool_on_a_host
from tests.support.pooled import BOUND, EACH_KIND, Listener, eventually, is_alive
from tests.support.pooled import pool as local_pool

MIB = 1024 * 1024
MakePool = Callable[..., AbstractAsyncContextManager[Listener]]


@pytest.fixture(params=["here", pytest.param("on a host", marks=pytest.mark.soak)])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MakePool:
    if request.param == "here":
        return local_pool
    return partial(pool_on_a_host, tmp_path_factory.mktemp("host"))


@EACH_KIND
async def test_every_call_ends_once_and_no_more_run_than_there_are_slots(
    kind: PoolKind, pool: MakePool
) -> None:
    async with pool(kind, 3) as listener:
        for n in range(60):
            listener.call(str(n), "add", n, n)
        for n in range(60):
            assert (await listener.outcome(str(n))).result == str(2 * n).encode()
        assert listener.most_busy <= 3
        await eventually(lambda: listener.pool.free == 3)
        assert "pool_functions.add" in listener.functions


@EACH_KIND
async def test_a_pool_has_as_many_workers_as_its_kind_needs(kind: PoolKind, pool: MakePool) -> None:
    async with pool(kind, 3) as listener:
        await eventually(lambda: listener.pool.free == 3)
        assert len(listener.pool.staffed) == KINDS[kind].workers(3)


@EACH_KIND
@pytest.mark.parametrize(
    ("function", "args", "cause"),
    [
        ("leave", (0,), "exited with code 0"),
        ("leave", (1,), "exited with code 1"),
        ("segfault", (), "was killed by SIGSEGV"),
        ("kill_self", (signal.SIGKILL,), "was killed by SIGKILL"),
        ("kill_self", (signal.SIGABRT,), "was killed by SIGABRT"),
    ],
)
async def test_a_death_is_told_in_words_and_the_next_call_runs(
    kind: PoolKind, pool: MakePool, function: str, args: tuple[int, ...], cause: str
) -> None:
    async with pool(kind, 1) as listener:
        listener.call("culprit", function, *args)
        error = (await listener.outcome("culprit")).error
        assert error is not None
        assert (error.kind, error.type) == (ErrorKind.CRASHED, "BrokenProcessPool")
        assert cause in error.message
        listener.call("next", "add", 1, 2)
        assert (await listener.outcome("next")).result == b"3"
        assert listener.workers["next"] != listener.workers["culprit"]
        assert len(listener.deaths) == 1


@EACH_KIND
async def test_a_pool_whose_workers_cannot_start_is_broken_and_says_why(
    kind: PoolKind, pool: MakePool
) -> None:
    async with pool(kind, 1, initializer="pool_functions.refuse") as listener:
        await eventually(lambda: listener.pool.state is PoolState.BROKEN)
        assert listener.pool.reason is not None
        assert "the warehouse is closed" in listener.pool.reason
        assert not listener.pool.free


@EACH_KIND
async def test_stopping_lets_what_runs_end_within_the_grace(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"

    async with pool(kind, 1) as listener:
        listener.call("last", "wait_for", str(gate))
        await eventually(lambda: "last" in listener.begun)
        stopping = asyncio.create_task(listener.pool.stop(BOUND))
        await asyncio.sleep(0)
        gate.touch()
        await stopping
        assert listener.outcomes["last"].error is None


@EACH_KIND
async def test_what_does_not_end_within_the_grace_is_told_as_interrupted(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    async with pool(kind, 1) as listener:
        listener.call("last", "wait_for", str(tmp_path / "never"))
        await eventually(lambda: "last" in listener.begun)
        pids = [each.pid for each in listener.pool.snapshot().workers]
        await listener.pool.stop(0.1)
        error = listener.outcomes["last"].error
        assert error is not None
        assert error.kind is ErrorKind.INTERRUPTED
        assert not any(is_alive(pid) for pid in pids)


@EACH_KIND
async def test_a_call_that_is_asked_ends_itself_and_its_worker_goes_on(
    kind: PoolKind, pool: MakePool
) -> None:
    async with pool(kind, 1) as listener:
        worker = await listener.running("asked", "work_until_asked")
        assert listener.pool.cancel("asked")
        assert (await listener.outcome("asked")).cancelled
        listener.call("next", "add", 1, 1)
        await listener.result("next")
        assert listener.workers["next"] == worker
        assert not listener.deaths


@EACH_KIND
async def test_what_no_worker_has_cannot_be_cancelled_or_killed(
    kind: PoolKind, pool: MakePool
) -> None:
    async with pool(kind, 1) as listener:
        assert not listener.pool.cancel("nobody")
        assert listener.pool.kill("nobody") is None
        assert await listener.pool.stack("nobody") is None
        assert not listener.pool.kill_worker("p-99")


@EACH_KIND
@pytest.mark.parametrize("function", ["rest", "commands.rest"])
async def test_a_pool_says_how_a_call_ends_before_it_is_killed(
    kind: PoolKind, pool: MakePool, function: str
) -> None:
    ending = KINDS[kind].ending_of(is_command=function == "commands.rest")
    command = Command(("sleep", "{seconds}"), Options(name="commands.rest"))

    async with pool(kind, 2, commands=(command,)) as listener:
        await listener.running("1", function, "600" if "." in function else 600)
        told = [run.ending for worker in listener.pool.snapshot().workers for run in worker.calls]
        assert told == [ending]
        assert listener.pool.kill("1") is ending
        assert (await listener.outcome("1")).cancelled == (ending is not Ending.ABANDONED)
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2


@EACH_KIND
async def test_the_calls_of_a_worker_killed_by_hand_are_really_stopped(
    kind: PoolKind, pool: MakePool
) -> None:
    async with pool(kind, 2) as listener:
        worker = await listener.running("one", "rest", 600)
        await listener.running("two", "rest", 600)
        pids = {each.id: each.pid for each in listener.pool.snapshot().workers}
        assert listener.pool.kill_worker(worker)
        assert await listener.outcome("one") == Outcome(cancelled=True)
        assert not is_alive(pids[worker])
        if KINDS[kind].is_alone:
            assert "two" not in listener.outcomes
        else:
            assert await listener.outcome("two") == Outcome(cancelled=True)
        assert not listener.deaths
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2


@EACH_KIND
async def test_looking_at_a_call_shows_where_it_is_and_does_not_disturb_it(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    async with pool(kind, 1, folder=tmp_path) as listener:
        await listener.running("sleeper", "rest", 5.0)
        stacks: list[str | None] = [None]
        while not all("time.sleep(seconds)" in (stack or "") for stack in stacks):
            assert "sleeper" not in listener.outcomes
            stacks = await asyncio.gather(*(listener.pool.stack("sleeper") for _ in range(3)))
        assert await listener.result("sleeper") >= 5.0


@EACH_KIND
async def test_a_pool_that_is_resized_under_load_loses_no_call_and_doubles_none(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    (tmp_path / "go").touch()

    async with pool(kind, 2) as listener:
        for n in range(300):
            listener.call(str(n), "count_up", str(log), str(tmp_path / "go"))
        for size in (5, 1, 4, 2, 3):
            enough = min(300, len(listener.outcomes) + 10)
            listener.pool.resize(size)
            await eventually(partial(listener.has_outcomes, enough))
        for n in range(300):
            assert (await listener.outcome(str(n))).error is None
        assert log.read_text().count("started") == 300
        await eventually(lambda: listener.pool.free == 3)
        assert not listener.deaths


@EACH_KIND
@pytest.mark.parametrize("order", ["012", "210"])
async def test_a_larger_pool_runs_more_at_a_time_and_a_smaller_one_lets_what_runs_end(
    kind: PoolKind, pool: MakePool, order: str, tmp_path: Path
) -> None:
    async with pool(kind, 1) as listener:
        for n in range(4):
            listener.call(str(n), "wait_for", str(tmp_path / f"go {n}"))
        await eventually(lambda: len(listener.begun) == 1)
        listener.pool.resize(3)
        await eventually(lambda: len(listener.begun) == 3)
        assert listener.pool.size == listener.pool.spec.size == 3
        listener.pool.resize(1)
        for task in order[:2]:
            (tmp_path / f"go {task}").touch()
            await listener.result(task)
        assert listener.pool.busy == 1  # one still runs, and there is one slot
        assert "3" not in listener.begun
        (tmp_path / f"go {order[2]}").touch()
        (tmp_path / "go 3").touch()
        assert (await listener.outcome("3")).error is None
        await eventually(lambda: listener.pool.free == 1)
        await eventually(lambda: len(listener.pool.staffed) == 1)


@EACH_KIND
async def test_a_pool_has_at_least_one_slot(kind: PoolKind, pool: MakePool) -> None:
    async with pool(kind, 1) as listener:
        with pytest.raises(ValueError, match="at least 1 slot, not 0"):
            listener.pool.resize(0)


@EACH_KIND
async def test_a_paused_pool_hands_nothing_out_until_it_is_resumed(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    async with pool(kind, 2) as listener:
        await listener.running("before", "wait_for", str(tmp_path / "go"))
        listener.pool.pause()
        assert listener.pool.state is PoolState.PAUSED
        listener.call("meanwhile", "add", 1, 1)
        assert listener.pool.free == 0
        (tmp_path / "go").touch()
        assert (await listener.outcome("before")).error is None
        assert "meanwhile" not in listener.begun
        listener.pool.resume()
        assert await listener.result("meanwhile") == 2


@EACH_KIND
async def test_a_drained_pool_finishes_what_runs_and_has_no_workers_until_it_is_resumed(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    async with pool(kind, 2, spare=KINDS[kind].spares) as listener:
        await listener.running("last", "wait_for", str(tmp_path / "go"))
        listener.pool.drain()
        assert listener.pool.state is PoolState.DRAINING
        listener.call("next", "add", 1, 1)
        (tmp_path / "go").touch()
        assert (await listener.outcome("last")).error is None
        await eventually(lambda: listener.pool.state is PoolState.STOPPED)
        assert not listener.pool.snapshot().workers
        assert "next" not in listener.begun
        listener.pool.resume()
        assert await listener.result("next") == 2


@EACH_KIND
async def test_a_pool_can_be_stopped_before_its_start_and_then_has_no_workers(
    kind: PoolKind,
    pool: MakePool,
) -> None:
    async with pool(kind, 1, is_stopped=True) as listener:
        assert listener.pool.state is PoolState.STOPPED
        assert not listener.pool.snapshot().workers
        listener.pool.resume()
        await eventually(lambda: listener.pool.free == 1)


@EACH_KIND
async def test_a_worker_over_its_memory_is_replaced_when_it_is_done(
    kind: PoolKind, tmp_path: Path
) -> None:
    async with local_pool(kind, 1, max_memory_bytes=100 * MIB) as listener:
        worker = await listener.running("large", "wait_for", str(tmp_path / "go"))
        listener.pool.note_memory(worker, 99 * MIB)
        assert len(listener.pool.pids) == 1
        assert not listener.pool.snapshot().outgrown
        listener.pool.note_memory(worker, 120 * MIB)
        listener.pool.note_memory(worker, 125 * MIB)
        assert len(listener.pool.snapshot().outgrown) == 1
        await eventually(lambda: len(listener.pool.pids) == 2)
        await eventually(lambda: listener.ids(WorkerState.STOPPING) == {worker})
        (tmp_path / "go").touch()
        assert (await listener.outcome("large")).error is None
        await eventually(lambda: worker not in listener.pool.pids)
        listener.call("next", "add", 1, 1)
        assert await listener.result("next") == 2
        assert not listener.deaths


@EACH_KIND
async def test_a_worker_far_over_its_memory_is_killed_and_the_error_says_so(kind: PoolKind) -> None:
    async with local_pool(kind, 1, max_memory_bytes=200 * MIB) as listener:
        worker = await listener.running("huge", "rest", 600)
        listener.pool.note_memory(worker, 312 * MIB)
        error = await listener.error("huge")
        assert error.kind is ErrorKind.CRASHED
        assert "312 MiB, over 1.5 times max_memory_mb = 200" in error.message
        assert len(listener.pool.snapshot().outgrown) == 1
        assert not listener.deaths


@EACH_KIND
async def test_a_snapshot_shows_each_worker_and_call_and_never_changes(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    async with pool(kind, 2) as listener:
        await eventually(lambda: listener.pool.free == 2)
        worker = await listener.running("one", "wait_for", str(tmp_path / "go"), timeout=500)
        await listener.running("two", "work_until_asked")
        listener.pool.cancel("two")
        seen = listener.pool.snapshot()
        (tmp_path / "go").touch()
        await listener.outcome("one")
        await listener.outcome("two")
        assert (seen.spec, seen.state, seen.reason, seen.busy) == (
            listener.pool.spec,
            PoolState.RUNNING,
            None,
            2,
        )
        assert [each.id for each in seen.workers] == list(listener.pool.staffed)
        assert all(is_alive(each.pid) for each in seen.workers)
        assert sum(each.slots for each in seen.workers) == 2
        calls = {run.call.task: run for each in seen.workers for run in each.calls}
        assert calls.keys() == {"one", "two"}
        assert (calls["one"].worker, calls["one"].call.timeout) == (worker, 500)
        assert (calls["one"].is_asked, calls["two"].is_asked) == (False, True)
        assert calls["one"].posted_at <= (calls["one"].started_at or 0.0)
        assert listener.pool.snapshot() != seen
        assert listener.pool.snapshot().busy == 0


@EACH_KIND
async def test_a_snapshot_shows_what_was_abandoned_beside_what_runs(
    kind: PoolKind, pool: MakePool, tmp_path: Path
) -> None:
    async with pool(kind, 3) as listener:
        await listener.running("killed", "wait_for", str(tmp_path / "go"))
        is_left = listener.pool.kill("killed") is Ending.ABANDONED
        await listener.outcome("killed")
        seen = listener.pool.snapshot().workers
        left = [run for worker in seen for run in worker.abandoned]
        assert [(run.call.task, run.is_abandoned, run.ending) for run in left] == (
            [("killed", True, None)] if is_left else []
        )
        assert not [run for worker in seen for run in worker.calls]
        (tmp_path / "go").touch()
        await eventually(lambda: ("killed" in listener.ended_late) == is_left)


@EACH_KIND
async def test_a_listener_that_hears_nothing_is_listener_enough(kind: PoolKind) -> None:
    numbers = itertools.count(1)

    async def number() -> int:
        return next(numbers)

    spec = PoolSpec(name="deaf", kind=kind, size=1, modules=("math",))
    port: PoolPort = Pool(spec, secrets.token_hex(8), number, PoolListener())
    await port.start()
    await eventually(lambda: port.free == 1)
    assert port.post(Call("1", 1, "no.such.function", b"[]", b"{}"))
    await eventually(lambda: port.free == 1)
    await port.stop(0.1)
    assert not port.pids

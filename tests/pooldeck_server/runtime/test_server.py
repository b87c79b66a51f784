"""What a running engine promises to whoever submits."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import (
    BadArguments,
    Draining,
    IdempotencyMismatch,
    NotFound,
    QueueFull,
    UnknownFunction,
    UnknownPool,
)
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import BOUND, call, engine, eventually, outcome, submit


async def test_a_task_runs_in_the_pool_that_was_asked_for(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        for pool in ("cpu", "io"):
            task = await outcome(server, await submit(server, "add", 1, 2, pool=pool))
            assert (task.state, task.result) == (State.SUCCEEDED, "3")
            assert task.worker is not None
            assert task.worker.startswith(f"{pool}-")


async def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        with pytest.raises(BadArguments) as caught:
            await server.intake.submit_batch([call("add", 1, 2), call("add", 1, "x")])
        assert caught.value.extra["index"] == 1
        assert not (await server.read(queries.tasks, TaskFilter())).items
        ids = await server.intake.submit_batch([call("add", n, n) for n in range(50)])
        ended = [await outcome(server, task_id) for task_id in ids]
        assert [task.result for task in ended] == [str(2 * n) for n in range(50)]


async def test_what_is_unknown_is_refused_by_name(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        with pytest.raises(UnknownFunction, match=r"did you mean runtime_functions\.add"):
            await submit(server, "ad")
        with pytest.raises(UnknownPool, match='no pool "gpu"; there are: io, cpu'):
            await submit(server, "add", 1, 2, pool="gpu")
        with pytest.raises(NotFound):
            await server.wait("no-such-id", 0)


def test_higher_priority_runs_first(tmp_path: Path) -> None:
    gate, diary = tmp_path / "gate", tmp_path / "diary"

    async def story() -> None:
        async with engine(tmp_path / "data") as server:
            blocker = await submit(server, "wait_for", str(gate), pool="cpu")
            await eventually(lambda: server.health.pool("cpu").busy == 1)
            ids = [
                await submit(server, "note", str(diary), word, pool="cpu", priority=priority)
                for word, priority in (("low", -10), ("plain", 0), ("high", 10))
            ]
            gate.write_text("open")
            for task_id in (blocker, *ids):
                assert (await outcome(server, task_id)).state is State.SUCCEEDED

    asyncio.run(story())
    assert diary.read_text().split() == ["high", "plain", "low"]


async def test_the_same_key_gives_the_same_task_also_at_the_same_time(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        both = await asyncio.gather(
            server.intake.submit(call("add", 1, 2), "key"),
            server.intake.submit(call("add", 1, 2), "key"),
        )
        assert both[0].task.id == both[1].task.id
        assert sorted(accepted.created for accepted in both) == [False, True]
        again = await server.intake.submit(call("add", 1, 2), "key")
        assert again.task.id == both[0].task.id
        with pytest.raises(IdempotencyMismatch):
            await server.intake.submit(call("add", 1, 3), "key")


async def test_keys_within_a_batch_count_as_well(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        one = call("add", 1, 2, idempotency_key="one")
        ids = await server.intake.submit_batch([one, call("add", 3, 4), one])
        assert ids[0] == ids[2] != ids[1]
        assert await server.intake.submit_batch([one]) == [ids[0]]
        with pytest.raises(IdempotencyMismatch):
            await server.intake.submit_batch([call("add", 9, 9, idempotency_key="one")])


async def test_a_full_queue_refuses_and_says_when_to_come_back(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    pools = {"cpu": {"kind": "process", "size": 1, "queue_limit": 2}}
    async with engine(tmp_path / "data", pools=pools) as server:
        ids = [await submit(server, "wait_for", str(gate))]
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
        ids += [await submit(server, "wait_for", str(gate)) for _ in range(2)]
        with pytest.raises(QueueFull) as caught:
            await submit(server, "wait_for", str(gate))
        assert caught.value.retry_after
        gate.write_text("open")
        for task_id in ids:
            assert (await outcome(server, task_id)).state is State.SUCCEEDED


async def test_more_tasks_than_the_memory_holds_all_run(tmp_path: Path) -> None:
    async with engine(tmp_path, memory_queue=100) as server:
        ids = await server.intake.submit_batch([call("add", n, 0) for n in range(1000)])
        assert (await outcome(server, ids[-1])).result == "999"
        await eventually(lambda: server.frames.latest().counts[State.SUCCEEDED] == 1000)


def test_a_waiting_task_can_be_cancelled_and_does_not_run(tmp_path: Path) -> None:
    gate, diary = tmp_path / "gate", tmp_path / "diary"

    async def story() -> None:
        async with engine(tmp_path / "data") as server:
            blocker = await submit(server, "wait_for", str(gate), pool="cpu")
            await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
            waiting = await submit(server, "note", str(diary), "ran", pool="cpu")
            cancelled = await server.tasks.cancel(waiting)
            assert (cancelled.outcome, cancelled.task.state) == ("cancelled", State.CANCELLED)
            assert (await server.tasks.cancel(waiting)).outcome == "already_ended"
            assert (await server.tasks.cancel(blocker)).outcome == "cancel_requested"
            gate.write_text("open")
            assert (await outcome(server, blocker)).state is State.SUCCEEDED
            last = await submit(server, "add", 1, 2, pool="cpu")
            assert (await outcome(server, last)).state is State.SUCCEEDED

    asyncio.run(story())
    assert not diary.exists()


def test_a_cancelled_task_that_only_the_store_holds_does_not_run(tmp_path: Path) -> None:
    gate, diary = tmp_path / "gate", tmp_path / "diary"

    async def story() -> None:
        async with engine(tmp_path / "data", memory_queue=100) as server:
            blocker = await submit(server, "wait_for", str(gate), pool="cpu")
            await eventually(lambda: server.health.pool("cpu").busy == 1)
            await server.intake.submit_batch([call("add", n, 0, pool="cpu") for n in range(200)])
            waiting = await submit(server, "note", str(diary), "ran", pool="cpu")
            assert (await server.tasks.cancel(waiting)).outcome == "cancelled"
            gate.write_text("open")
            assert (await outcome(server, blocker)).state is State.SUCCEEDED
            await eventually(lambda: server.frames.latest().counts[State.SUCCEEDED] == 201)

    asyncio.run(story())
    assert not diary.exists()


async def test_a_scheduled_task_runs_when_its_time_has_come(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        task_id = await submit(server, "add", 1, 2, delay=0.3)
        before = await server.tasks.get(task_id)
        assert before.state is State.SCHEDULED
        after = await outcome(server, task_id)
        assert after.result == "3"
        assert after.started_at is not None
        assert after.run_at is not None
        assert after.started_at >= after.run_at


async def test_a_scheduled_task_can_be_cancelled(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        task_id = await submit(server, "add", 1, 2, delay=3600)
        assert (await server.tasks.cancel(task_id)).outcome == "cancelled"


def test_sensitive_arguments_are_never_shown_and_erased_in_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path) as server:
            accepted = await server.intake.submit(call("log_in", "ada", "secret-word"))
            assert accepted.task.args == '["ada","[redacted]"]'
            task = await outcome(server, accepted.task.id)
            assert (task.args, task.result) == ('["ada","[redacted]"]', '"ada 11"')

    asyncio.run(story())
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("pooldeck.sqlite3"))
    assert b"ada" in stored
    assert b"secret-word" not in stored


async def test_a_crash_costs_the_culprit_and_the_next_task_runs(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        for pool in ("cpu", "io"):
            crashed = await outcome(server, await submit(server, "leave", 3, pool=pool))
            assert (crashed.state, crashed.error_kind) == (State.FAILED, "crashed")
            assert crashed.error is not None
            assert "BrokenProcessPool" in crashed.error
            assert "exited with code 3" in crashed.error
            following = await submit(server, "add", 1, 2, pool=pool)
            assert (await outcome(server, following)).result == "3"


def test_queued_tasks_run_after_a_restart_and_what_ended_is_still_there(tmp_path: Path) -> None:
    gate, diary = tmp_path / "gate", tmp_path / "diary"
    data = tmp_path / "data"

    async def before() -> tuple[str, str, str]:
        async with engine(data) as server:
            ended = await submit(server, "add", 1, 2, pool="cpu")
            await outcome(server, ended)
            running = await submit(server, "wait_for", str(gate), pool="cpu")
            await eventually(lambda: server.health.pool("cpu").busy == 1)
            queued = await submit(server, "note", str(diary), "ran", pool="cpu")
            return ended, running, queued

    async def after(ended: str, running: str, queued: str) -> None:
        async with engine(data) as server:
            assert (await server.tasks.get(ended)).result == "3"
            interrupted = await server.tasks.get(running)
            assert (interrupted.state, interrupted.error_kind) == (State.LOST, "interrupted")
            assert (await outcome(server, queued)).state is State.SUCCEEDED
            worker = (await server.tasks.get(queued)).worker
            assert worker is not None
            assert worker not in {"cpu-1", "io-1"}  # numbers are never used again

    asyncio.run(after(*asyncio.run(before())))
    assert diary.read_text().split() == ["ran"]


async def test_submissions_are_refused_while_the_server_shuts_down(tmp_path: Path) -> None:
    ending = Ending(60.0)
    async with engine(tmp_path, ending=ending) as server:
        ending.begin()
        with pytest.raises(Draining):
            await submit(server, "add", 1, 2)


async def test_a_wait_ends_with_the_time_when_the_task_does_not(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        task_id = await submit(server, "add", 1, 2, delay=3600)
        task = await asyncio.wait_for(server.wait(task_id, 0.05), BOUND)
        assert task.state is State.SCHEDULED


async def test_a_clock_that_steps_back_makes_no_negative_durations(tmp_path: Path) -> None:
    class SteppingClock(ManualClock):
        def monotonic(self) -> float:
            self.wall -= 1_000_000
            return super().monotonic()

    async with engine(tmp_path, SteppingClock()) as server:
        first = await submit(server, "add", 1, 2)
        second = await submit(server, "add", 1, 2)
        assert first < second
        for task_id in (first, second):
            task = await outcome(server, task_id)
            assert task.queued_seconds is not None
            assert task.queued_seconds >= 0
            assert task.run_seconds is not None
            assert task.run_seconds >= 0


@pytest.mark.parametrize("alone", [True, False])
async def test_a_task_whose_client_goes_away_before_the_answer_runs_once_it_is_stored(
    tmp_path: Path, alone: bool
) -> None:
    async with engine(tmp_path) as server:
        await eventually(lambda: has_idle_worker(server))
        client = asyncio.create_task(submit_one(server, alone=alone))
        await asyncio.sleep(0)  # it waits for the commit now
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client
        await eventually(lambda: server.frames.latest().counts[State.SUCCEEDED] == 1)


def has_idle_worker(server: Server) -> bool:
    return any(worker.state == "idle" for worker in server.health.pool("cpu").workers)


async def submit_one(server: Server, *, alone: bool) -> None:
    if alone:
        await server.intake.submit(call("add", 1, 2))
    else:
        await server.intake.submit_batch([call("add", 1, 2)])


async def test_a_pool_that_breaks_gives_its_claims_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    monkeypatch.setenv("POOLDECK_TESTS_FLAG", str(flag))
    pools = {
        "cpu": {
            "kind": "process",
            "size": 1,
            "spare": 0,
            "initializer": "runtime_functions.need_flag",
        },
    }

    async with engine(tmp_path / "data", pools=pools) as server:
        for _ in range(5):  # until it is known that they are quick, and claimed ahead
            await outcome(server, await submit(server, "add", 1, 2))
        flag.unlink()
        await server.intake.submit_batch(
            [call("leave", 3), *(call("add", n, n) for n in range(50))]
        )
        await eventually(lambda: server.health.pool("cpu").state == "broken")
        assert "flag is missing" in (server.health.pool("cpu").reason or "")
        await eventually(lambda: claims(tmp_path) == 0)
        assert server.health.pool("cpu").queued == 50


def claims(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data/pooldeck.sqlite3")) as database:
        found: int = database.execute("SELECT count(*) FROM tasks WHERE claimed").fetchone()[0]
        return found

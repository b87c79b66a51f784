"""What cancelling, killing and retrying do to one task, and to many."""

import asyncio
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import ArgumentsErased, Conflict, NotFound
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import call, engine, eventually, outcome, submit

BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])


async def run_noted(server: Server, function: str, path: Path, *args: object, pool: str) -> str:
    """Submit a function that makes a file when it runs, and return the id when it does."""
    task_id = await submit(server, function, str(path), *args, pool=pool)
    await eventually(path.exists)
    return task_id


@BOTH
async def test_a_running_task_is_asked_and_may_end_as_it_likes(tmp_path: Path, pool: str) -> None:
    async with engine(tmp_path / "data") as server:
        heeding = await run_noted(server, "heed", tmp_path / "a", pool=pool)
        assert (await server.tasks.cancel(heeding)).outcome == "cancel_requested"
        ended = await outcome(server, heeding)
        assert (ended.state, ended.result) == (State.SUCCEEDED, '"ended when asked"')
        giving_in = await run_noted(server, "give_in", tmp_path / "b", pool=pool)
        assert (await server.tasks.cancel(giving_in)).outcome == "cancel_requested"
        ended = await outcome(server, giving_in)
        assert (ended.state, ended.error) == (State.CANCELLED, None)
        assert (await server.tasks.cancel(giving_in)).outcome == "already_ended"


async def test_a_process_is_killed_which_is_no_incident(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        running = await submit(server, "sleep", 600, pool="cpu")
        await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
        assert (await server.tasks.cancel(running, kill=True)).outcome == "killed"
        ended = await outcome(server, running)
        assert (ended.state, ended.error) == (State.CANCELLED, None)
        assert (await outcome(server, await submit(server, "add", 1, 2))).result == "3"
        assert server.health.pool("cpu").incidents == 0
        assert not (await server.read(queries.incidents)).items


def test_a_thread_is_abandoned_and_its_late_end_noted(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path / "data", pools={"io": {"kind": "thread", "size": 3}}) as server:
            go = tmp_path / "go"
            running = await submit(server, "wait_for", str(go), pool="io")
            await eventually(lambda: server.frames.latest().counts[State.RUNNING] == 1)
            assert (await server.tasks.cancel(running, kill=True)).outcome == "abandoned"
            ended = await outcome(server, running)
            assert (ended.state, ended.error_kind) == (State.FAILED, "abandoned")
            assert sum(slot.abandoned for slot in slots(server, "io")) == 1
            assert sum(not slot.abandoned for slot in slots(server, "io")) == 3
            go.write_text("late")
            await eventually(lambda: not any(slot.abandoned for slot in slots(server, "io")))
            task = await outcome(server, running)
            assert (task.state, task.result) == (State.FAILED, None)
            lines = await log_of(server, running)
            assert any("the abandoned thread ended after" in line for line in lines)

    def slots(server: Server, pool: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return [slot for worker in server.health.pool(pool).workers for slot in worker.slots]

    asyncio.run(story())


async def log_of(server: Server, task_id: str) -> list[str]:
    """Return a task's log once the recorder has written what it knows now."""
    await submit(server, "add", 1, 1)
    entries = await server.read(queries.logs, task_id)
    for _ in range(200):
        if entries:
            break
        await asyncio.sleep(0.01)
        entries = await server.read(queries.logs, task_id)
    return [entry.message for entry in entries]


async def test_all_that_fit_are_cancelled_wherever_they_are(tmp_path: Path) -> None:
    async with engine(tmp_path / "data", memory_queue=100) as server:
        running = await run_noted(server, "heed", tmp_path / "a", pool="cpu")
        waiting = await server.intake.submit_batch([call("add", n, n) for n in range(1500)])
        other = await submit(server, "wait_for", str(tmp_path / "b"), pool="io")
        later = await submit(server, "add", 1, 1, delay=600)
        wanted = TaskFilter(pools=("cpu",))
        assert await server.tasks.count(wanted, final=False) == 1502
        done = await server.tasks.cancel_all(wanted)
        assert done.matched == 1502
        assert done.outcomes == {"cancelled": 1501, "cancel_requested": 1}
        assert (await outcome(server, running)).state is State.SUCCEEDED
        for task_id in (waiting[0], waiting[-1], later):
            assert (await server.tasks.get(task_id)).state is State.CANCELLED
        assert (await server.tasks.get(other)).state not in {State.CANCELLED, State.LOST}
        assert await server.tasks.count(wanted, final=False) == 0


async def test_named_tasks_are_cancelled_and_unknown_ones_told_apart(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        later = await submit(server, "add", 1, 1, delay=600)
        ended = await submit(server, "add", 1, 1)
        await outcome(server, ended)
        done = await server.tasks.cancel_all([later, ended, "no-such-task", later])
        assert done.matched == 3
        assert done.outcomes == {"cancelled": 1, "already_ended": 1, "not_found": 1}


async def test_a_retry_is_a_new_attempt_of_the_same_task(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        task_id = await submit(server, "fail_until", str(tmp_path / "runs"), 2)
        failed = await outcome(server, task_id)
        assert (failed.state, failed.error_kind) == (State.FAILED, "exception")
        retried = await server.tasks.retry(task_id)
        assert retried.id == task_id
        again = await outcome(server, task_id)
        assert (again.state, again.result, again.attempt) == (State.SUCCEEDED, "2", 2)
        first, second = await server.read(queries.attempts, task_id)
        assert (first.attempt, first.state, first.error_kind) == (1, State.FAILED, "exception")
        assert (second.attempt, second.state, second.result) == (2, State.SUCCEEDED, "2")
        assert "run 1 of 2" in (first.error or "")
        for number in (1, 2):
            lines = await server.read(queries.logs, task_id, attempt=number)
            assert [line.message for line in lines] == [f"run {number}"]


async def test_only_what_has_ended_is_retried(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        later = await submit(server, "add", 1, 1, delay=600)
        with pytest.raises(Conflict, match="is scheduled"):
            await server.tasks.retry(later)
        with pytest.raises(NotFound):
            await server.tasks.retry("no-such-task")
        secret = await submit(server, "log_in", "ann", "secret")
        await outcome(server, secret)
        with pytest.raises(ArgumentsErased):
            await server.tasks.retry(secret)
        done = await server.tasks.retry_all([later, secret])
        assert done.outcomes == {"conflict": 1, "arguments_erased": 1}


async def test_all_that_failed_are_retried_at_once(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        paths = [str(tmp_path / f"runs {n}") for n in range(5)]
        ids = [await submit(server, "fail_until", path, 2) for path in paths]
        for task_id in ids:
            assert (await outcome(server, task_id)).state is State.FAILED
        wanted = TaskFilter(states=(State.FAILED,), errors=("exception",))
        assert await server.tasks.count(wanted, final=True) == 5
        done = await server.tasks.retry_all(wanted)
        assert (done.matched, done.outcomes) == (5, {"retried": 5})
        for task_id in ids:
            assert (await outcome(server, task_id)).state is State.SUCCEEDED

"""Whoever waits for a task's end is answered by its commit, or at last with what there is."""

import asyncio
from pathlib import Path

import pytest

from pooldeck_server.domain.tasks.changes import End, TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.store import queries
from pooldeck_server.store.queries.one_task import decoded
from tests.support.stored import opened


def move(state: State) -> TaskChanged:
    return TaskChanged(1, "a", "f", "cpu", State.RUNNING, state)


async def test_only_the_end_of_the_task_answers_all_who_wait_for_it() -> None:
    waiters = Waiters()
    with waiters.waiter("a") as first, waiters.waiter("a") as second, waiters.waiter("b") as other:
        waiters.on_commit([move(State.QUEUED)])
        assert not first.done()
        waiters.on_commit([move(State.SUCCEEDED)])
        assert first.done()
        assert second.done()
        assert not other.done()


async def test_who_leaves_is_waited_for_no_more() -> None:
    waiters = Waiters()
    with waiters.waiter("a") as left, waiters.waiter("a") as stays:
        pass
    await asyncio.wait_for(waiters.release_all(60.0), 30)
    assert not left.done()
    assert not stays.done()


async def test_at_last_everybody_is_answered() -> None:
    waiters = Waiters()
    with waiters.waiter("a") as ended:
        await waiters.release_all(0)
        assert ended.done()


@pytest.mark.parametrize("size", [1, queries.SMALL + 1])
async def test_what_ended_comes_with_its_commit_as_the_store_has_it_unless_it_is_large(
    tmp_path: Path, size: int
) -> None:
    with opened(tmp_path) as store:
        task, other = store.running(shown_args='["***"]'), store.running()
        ends = [
            End(each.seq, 1, State.SUCCEEDED, 9, result=f'"{"x" * size}"', pid=7)
            for each in (task, other)
        ]
        recorder = Recorder(store.database, 10)
        recorder.start([recorder.waiters])
        with recorder.waiters.waiter(task.id) as ended:
            recorder.record_results([], ends)
            text = await asyncio.wait_for(ended, 30)
        await recorder.stop()
        stored = store.read(queries.task, task.id)
        assert stored is not None
        assert stored.state is State.SUCCEEDED
        if size == 1:
            assert text is not None
            assert decoded(text) == stored
        else:
            assert text is None

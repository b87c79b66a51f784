"""Whoever waits for a task's end is answered by its commit, or at last with what there is."""

import asyncio

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.recording.waiters import Waiters


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

"""What is waited for, in memory: who has to be looked at, and who need not."""

import asyncio

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.dependencies import NeedState, Rule
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.pipelines.waits import Waits


def _move(seq: int, state: State, before: State = State.RUNNING) -> TaskChanged:
    return TaskChanged(seq, f"id-{seq}", "f", "cpu", before, state)


def _need(seq: int, needs: int, rule: Rule = Rule.STOP, state: State = State.QUEUED) -> NeedState:
    return NeedState(seq, needs, "name", rule, f"id-{needs}", state)


def _due(waits: Waits) -> list[int]:
    """Return what is to be looked at now; nothing, where there is nothing."""

    async def now() -> list[int]:
        try:
            return await asyncio.wait_for(waits.due(), 0.01)
        except TimeoutError:
            return []

    return asyncio.run(now())


def test_only_the_last_good_end_calls_for_a_look() -> None:
    waits = Waits()
    assert waits.expect([_need(9, 1), _need(9, 2)])
    waits.on_commit([_move(1, State.SUCCEEDED), _move(5, State.SUCCEEDED), _move(2, State.RUNNING)])
    assert _due(waits) == []
    waits.on_commit([_move(2, State.SUCCEEDED)])
    assert _due(waits) == [9]


def test_a_failure_calls_for_a_look_at_once_where_it_stops() -> None:
    waits = Waits()
    waits.expect([_need(8, 1), _need(8, 2)])
    waits.expect([_need(9, 1, Rule.SKIP), _need(9, 2, Rule.GO_ON)])
    waits.on_commit([_move(1, State.LOST)])
    assert _due(waits) == [8]
    waits.on_commit([_move(2, State.CANCELLED, State.QUEUED)])
    assert 9 in _due(waits)


def test_what_is_expected_already_is_not_new_and_what_has_ended_is_not_expected() -> None:
    waits = Waits()
    assert waits.expect([_need(9, 1), _need(9, 2, state=State.SUCCEEDED)])
    assert not waits.expect([_need(9, 1)])
    assert waits.followers(1) == {9}
    assert waits.followers(2) == frozenset()


def test_an_end_that_went_by_while_it_was_read_is_not_waited_for() -> None:
    waits = Waits()
    waits.on_commit([_move(1, State.FAILED)])  # after the read, and before what was read is noted
    assert waits.expect([_need(9, 1, Rule.GO_ON), _need(9, 2)])
    assert not waits.expect([_need(9, 1, Rule.GO_ON, State.FAILED), _need(9, 2)])
    waits.on_commit([_move(2, State.SUCCEEDED)])
    assert _due(waits) == [9]


def test_one_that_is_retried_to_wait_again_is_looked_at() -> None:
    waits = Waits()
    waits.on_commit([_move(3, State.SCHEDULED, State.CANCELLED), _move(4, State.SCHEDULED)])
    assert _due(waits) == [3]


def test_nothing_is_kept_of_one_that_waits_no_more() -> None:
    waits = Waits()
    waits.expect([_need(9, 1), _need(9, 2)])
    waits.expect([_need(8, 1)])
    waits.forget(9)
    assert waits.followers(1) == {8}
    waits.on_commit([_move(2, State.FAILED)])
    assert _due(waits) == []

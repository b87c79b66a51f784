"""Tasks that no worker can run: what they need that no machine has."""

from pooldeck_server.runtime.tasks.unschedulable import Unschedulable
from tests.support.queued_tasks import queued


def test_each_need_of_a_function_is_told_while_a_task_with_it_waits() -> None:
    waiting = Unschedulable()
    waiting.add(queued(1), "no gpu")
    waiting.add(queued(2), "no gpu")
    waiting.add(queued(3), "too little memory")
    assert waiting.unmet("f") == "no gpu; too little memory"
    assert waiting.unmet("g") is None
    waiting.discard(1)
    waiting.discard(2)
    assert waiting.unmet("f") == "too little memory"
    waiting.discard(3)
    assert waiting.unmet("f") is None
    assert not waiting.are_unmet


def test_of_many_needs_some_are_told() -> None:
    waiting = Unschedulable()
    for number in range(5):
        waiting.add(queued(number), f"no {number}")
    assert waiting.unmet("f") == "no 0; no 1; no 2; and others need something else"

"""The queue in memory: order, bounds, and what it knows of the rest."""

import pytest

from pooldeck_server.runtime.tasks.backlog import Backlog
from tests.support.queued_tasks import queued as task


def drained(backlog: Backlog) -> list[int]:
    return [backlog.pop().seq for _ in range(len(backlog))]


def test_tasks_come_out_by_priority_and_then_in_the_order_of_submission() -> None:
    backlog = Backlog(10)
    for seq, priority in ((3, 0), (1, 0), (4, 5), (2, -5)):
        assert backlog.offer(task(seq, priority))
    assert drained(backlog) == [4, 1, 3, 2]


def test_a_full_backlog_leaves_further_tasks_to_the_store_and_knows_it() -> None:
    backlog = Backlog(2)
    assert backlog.offer(task(1))
    assert backlog.offer(task(2))
    assert not backlog.offer(task(3))
    assert len(backlog) == 2
    backlog.pop()
    backlog.pop()
    assert backlog.runs_low


def test_what_comes_after_a_task_in_the_store_does_not_overtake_it() -> None:
    backlog = Backlog(2)
    for seq in (1, 2, 3):
        backlog.offer(task(seq))
    backlog.pop()
    assert not backlog.offer(task(4))


def test_a_task_of_higher_priority_is_held_although_others_wait_in_the_store() -> None:
    backlog = Backlog(2)
    for seq in (1, 2, 3):
        backlog.offer(task(seq))
    backlog.pop()
    assert backlog.offer(task(4, priority=1))
    assert backlog.pop().seq == 4


def test_a_refill_brings_what_was_left_in_the_store() -> None:
    backlog = Backlog(2)
    for seq in (1, 2, 3):
        backlog.offer(task(seq))
    drained(backlog)
    backlog.refill([task(3)], more=False)
    assert not backlog.runs_low
    assert drained(backlog) == [3]


def test_a_refill_that_is_not_all_leaves_the_rest_known() -> None:
    backlog = Backlog(2)
    backlog.refill([task(1), task(2)], more=True)
    assert not backlog.offer(task(3))
    drained(backlog)
    assert backlog.runs_low


def test_a_task_that_is_refilled_twice_comes_out_once() -> None:
    backlog = Backlog(4)
    backlog.offer(task(1))
    backlog.refill([task(1), task(2)], more=False)
    assert drained(backlog) == [1, 2]


def test_a_removed_task_does_not_come_out() -> None:
    backlog = Backlog(4)
    backlog.offer(task(1))
    backlog.offer(task(2))
    removed = backlog.remove(1)
    assert removed is not None
    assert removed.seq == 1
    assert backlog.remove(1) is None
    assert drained(backlog) == [2]


def test_a_removed_task_can_be_offered_again_and_comes_out_once() -> None:
    backlog = Backlog(4)
    backlog.offer(task(1))
    removed = backlog.remove(1)
    assert removed is not None
    backlog.offer(removed)
    assert drained(backlog) == [1]


def test_large_arguments_count_against_the_backlog_too() -> None:
    backlog = Backlog(10, limit_bytes=1000)
    assert backlog.offer(task(1, args="x" * 900))
    assert not backlog.offer(task(2, args="x" * 900))
    backlog.pop()
    assert backlog.runs_low


def test_the_oldest_is_the_one_that_was_submitted_first_whatever_its_priority() -> None:
    backlog = Backlog(4)
    backlog.offer(task(2, priority=9))
    backlog.offer(task(1))
    oldest = backlog.oldest()
    assert oldest is not None
    assert oldest.seq == 1


def test_an_empty_backlog_says_so() -> None:
    backlog = Backlog(4)
    assert backlog.peek() is None
    assert backlog.oldest() is None
    with pytest.raises(IndexError, match="nothing waits"):
        backlog.pop()

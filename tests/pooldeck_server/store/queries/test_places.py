"""A task's place in its queue, what it comes after, and since when the oldest of a pool waits."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.changes import Claim
from pooldeck_server.domain.tasks.task import NewTask, StoredTask
from pooldeck_server.domain.tasks.waiting import QueuePlace
from pooldeck_server.store import queries, records
from pooldeck_server.store.queries.places import queue_place
from tests.support.stored import Store, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def fill(store: Store, *priorities: int, function: str = "jobs.add") -> list[NewTask]:
    batch = [store.new(priority=each, function=function) for each in priorities]
    store.write(records.insert_tasks, batch)
    return batch


def stored(store: Store, task: NewTask) -> StoredTask:
    found = store.read(queries.task, task.id)
    assert found is not None
    return found


def places(store: Store, tasks: Sequence[NewTask]) -> list[int]:
    return [store.read(queue_place, stored(store, each)).ahead for each in tasks]


def test_what_is_more_urgent_or_came_before_goes_first(store: Store) -> None:
    batch = fill(store, 0, 5, 0, -3, 5)
    store.write(records.insert_tasks, [store.new(pool="io", priority=9)])
    assert places(store, batch) == [2, 0, 3, 4, 1]


def test_what_is_claimed_is_not_in_the_line_any_more(store: Store) -> None:
    batch = fill(store, 0, 0, 0)
    store.write(records.claim, [Claim(batch[0].seq, 1)])
    assert places(store, batch[1:]) == [0, 1]


def test_tasks_on_hold_do_not_go_first(store: Store) -> None:
    fill(store, 9, 0, function="jobs.held")
    (task,) = fill(store, 0)
    assert places(store, [task]) == [2]
    store.write(records.save_hold, Hold("jobs.held", 0, 3, "it crashes"))
    assert places(store, [task]) == [0]


def test_no_more_are_counted_than_one_wants_to_know(store: Store) -> None:
    batch = fill(store, *[1] * 4, *[0] * 4)
    assert store.read(queue_place, stored(store, batch[-1]), 7) == QueuePlace(7)
    assert store.read(queue_place, stored(store, batch[-1]), 6) == QueuePlace(6, is_exact=False)
    assert store.read(queue_place, stored(store, batch[-1]), 2) == QueuePlace(2, is_exact=False)


def test_tasks_on_hold_cost_no_more_looks_than_others(store: Store) -> None:
    (task,) = fill(store, 3)
    fill(store, *[9] * 50, function="jobs.held")
    store.write(records.save_hold, Hold("jobs.held", 0, 3, "it crashes"))
    assert store.read(queue_place, stored(store, task), 20) == QueuePlace(0, is_exact=False)
    assert store.read(queue_place, stored(store, task), 50) == QueuePlace(0)


def test_the_oldest_that_waits_may_be_on_hold_or_last_in_line(store: Store) -> None:
    held, *_ = fill(store, -7, function="jobs.held")
    store.write(records.save_hold, Hold("jobs.held", 0, 3, "it crashes"))
    store.clock.advance(60)
    fill(store, 9, 0, 0, 4)
    assert store.read(queries.oldest_waiting, "cpu") == held.created_at
    assert store.read(queries.oldest_waiting, "io") is None

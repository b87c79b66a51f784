"""The keys of whole batches stay as long as their tasks, and some days longer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.domain.retention import DAY
from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.domain.tasks.changes import End
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as made:
        yield made


def trim_at(store: Store, now: int) -> None:
    while store.write(records.trim_others, now, None):
        pass


def test_the_key_of_a_batch_outlives_its_last_task_by_seven_days(store: Store) -> None:
    now = store.clock.now()
    tasks = [store.running() for _ in range(3)]
    for task in tasks:
        store.write(records.end, [End(task.seq, 1, State.SUCCEEDED, now)])
    store.write(records.add_batch, KeyedBatch("one", "f", tasks[0].seq, len(tasks), now))
    store.write(records.add_batch, KeyedBatch("empty", "f", 1000, 5, now))

    for day in range(30):
        trim_at(store, now + day * DAY)
    assert store.read(queries.batch_by_key, "empty") is None
    found = store.read(queries.batch_by_key, "one")
    assert found is not None
    assert store.read(queries.unkeyed_tasks, found) == [task.id for task in tasks]

    now += 30 * DAY
    for task in tasks[:2]:
        store.write(records.delete_tasks, [task.seq], now=now, budget=10.0)
    for day in range(30):
        trim_at(store, now + day * DAY)
    assert store.read(queries.unkeyed_tasks, found) == [tasks[2].id]

    now += 30 * DAY
    store.write(records.delete_tasks, [tasks[2].seq], now=now, budget=10.0)
    trim_at(store, now)
    trim_at(store, now + 7 * DAY)
    assert store.read(queries.batch_by_key, "one") is not None
    trim_at(store, now + 9 * DAY)
    assert store.read(queries.batch_by_key, "one") is None

"""How many calls a host can take, by what it has told of its pool and by what it has in hand."""

from pooldeck.hosts.posted import PostedCalls
from pooldeck.hosts.room import HostRoom
from pooldeck.hosts.told_pool import ToldPool
from pooldeck.hosts.wire import PoolIs, WorkerIs
from pooldeck.pools.model import PoolState, WorkerState
from pooldeck.protocol import Call


def room(*workers: WorkerIs, size: int = 2) -> HostRoom:
    pool = ToldPool(size)
    pool.take(PoolIs(PoolState.RUNNING, None, is_given_up=False, workers=list(workers)))
    return HostRoom(PostedCalls(), pool)


def worker(name: str, *, slots: int = 1, is_open: bool = True) -> WorkerIs:
    return WorkerIs(name, 7, WorkerState.IDLE, 1.0, slots, 0, is_open)


def post(there: HostRoom, task: str, *, is_quick: bool = False, on: str = "") -> None:
    there.calls.add(Call(task, 1, "f", b"[]", b"{}"), is_quick=is_quick)
    handed = there.calls.get(task)
    assert handed is not None
    handed.worker = on


def test_what_was_handed_over_takes_a_slot_before_the_host_says_where_it_runs() -> None:
    there = room(worker("a"), worker("b"))
    assert (there.free, there.by_worker()) == (2, {"a": 1, "b": 1})

    post(there, "1")
    assert (there.free, there.busy) == (1, 1)
    post(there, "2", on="a")
    assert (there.free, there.by_worker()) == (0, {})


def test_calls_may_wait_there_behind_quick_ones_only() -> None:
    there = room(worker("a"), worker("b"))
    post(there, "1", is_quick=True)
    assert there.lead > 2

    there.calls.take_none_for_quick()
    assert there.lead == 0


def test_a_pool_that_shrinks_has_no_more_slots_than_it_is_to_have() -> None:
    there = room(worker("a"), worker("b"))
    there.pool.most_slots = 1

    assert (there.free, there.slots) == (1, 1)


def test_a_worker_that_goes_has_its_slot_as_long_as_something_runs_there() -> None:
    there = room(worker("a"), worker("b", is_open=False))
    assert there.slots == 1

    post(there, "1", on="b")
    assert (there.slots, there.busy) == (2, 1)


def test_workers_are_named_to_a_host_where_not_all_of_its_can_run_a_call() -> None:
    there = room(worker("a"), worker("b"))

    assert there.fit({"b", "elsewhere"}) == ("b",)
    assert there.fit({"a", "b"}) is None
    assert not there.can_run({"elsewhere"})

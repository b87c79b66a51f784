"""Claimed tasks: in their order, also where a claim overtakes another."""

from pooldeck_server.runtime.tasks.claimed import Claimed, Entry
from tests.support.queued_tasks import queued


def entry(seq: int, seconds: float = 0.25, since: float = 0.0) -> Entry:
    return Entry(queued(seq), seconds, since)


def taken(claimed: Claimed) -> list[int]:
    found = []
    while claimed.first is not None:
        found.append(claimed.take().seq)
    return found


def test_what_is_held_back_comes_after_those_whose_claim_was_on_its_way() -> None:
    claimed = Claimed()
    claimed.hold(entry(3, 0.5))
    assert (claimed.first, len(claimed), claimed.seconds) == (None, 1, 0.5)
    claimed.add(entry(1, 0.25))
    claimed.add(entry(2, 0.25))
    claimed.let_go()
    assert claimed.seconds == 1.0
    assert taken(claimed) == [1, 2, 3]
    assert claimed.seconds == 0.0


def test_what_is_held_back_can_be_cancelled() -> None:
    claimed = Claimed()
    claimed.hold(entry(1, 0.5))
    claimed.hold(entry(2, 0.5))
    assert [task.seq for task in claimed] == [1, 2]
    removed = claimed.remove(1)
    assert removed is not None
    assert removed.task.seq == 1
    claimed.let_go()
    assert taken(claimed) == [2]


def test_one_that_came_back_waits_anew_and_the_others_as_long_as_before() -> None:
    claimed = Claimed()
    assert claimed.longest_wait(5.0) == 0.0
    claimed.add(entry(2, since=1.0))
    claimed.put_back(entry(1, since=4.0))
    assert claimed.longest_wait(5.0) == 4.0
    assert claimed.take().seq == 1
    assert claimed.longest_wait(5.0) == 4.0


def test_all_are_taken_but_those_that_are_held_back() -> None:
    claimed = Claimed()
    claimed.add(entry(1))
    claimed.add(entry(2))
    claimed.hold(entry(3))
    assert [task.seq for task in claimed.take_all()] == [1, 2]
    assert (len(claimed), claimed.seconds) == (1, 0.25)

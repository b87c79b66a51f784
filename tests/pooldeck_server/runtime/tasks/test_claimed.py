"""Claimed tasks: in their order, also where a claim overtakes another."""

from pooldeck_server.runtime.tasks.claimed import Claimed
from tests.support.queued_tasks import queued


def taken(claimed: Claimed) -> list[int]:
    found = []
    while claimed.first is not None:
        found.append(claimed.take().seq)
    return found


def test_what_is_held_back_comes_after_those_whose_claim_was_on_its_way() -> None:
    claimed = Claimed()
    claimed.hold(queued(3), 0.5)
    assert (claimed.first, len(claimed), claimed.seconds) == (None, 1, 0.5)
    claimed.add(queued(1), 0.25)
    claimed.add(queued(2), 0.25)
    claimed.let_go()
    assert claimed.seconds == 1.0
    assert taken(claimed) == [1, 2, 3]
    assert claimed.seconds == 0.0


def test_what_is_held_back_can_be_cancelled() -> None:
    claimed = Claimed()
    claimed.hold(queued(1), 0.5)
    claimed.hold(queued(2), 0.5)
    assert [task.seq for task in claimed] == [1, 2]
    entry = claimed.remove(1)
    assert entry is not None
    assert entry[0].seq == 1
    claimed.let_go()
    assert taken(claimed) == [2]

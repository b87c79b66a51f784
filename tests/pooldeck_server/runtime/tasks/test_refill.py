"""The part of a queue that is read from the store: nothing that waits there is forgotten."""

from pathlib import Path

from pooldeck_server.runtime.tasks.backlog import Backlog
from pooldeck_server.runtime.tasks.refill import Refill
from tests.support.stored import opened

MOST = 2


async def test_what_waits_behind_tasks_that_are_all_being_claimed_is_read_again(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        first, second, _, _ = [store.add().seq for _ in range(4)]
        leaving = {first, second}  # their claims were on the way to the disk during the read
        backlog = Backlog(MOST)
        refill = Refill(
            pool="cpu",
            backlog=backlog,
            reader=store.reader,
            most=MOST,
            left_out=tuple,
            in_hand=lambda: leaving,
            on_supplied=lambda: None,
        )
        await refill.refill()
        assert len(backlog) == 0
        assert not refill.is_exhausted
        assert refill.is_due
        leaving.clear()
        await refill.refill()
        assert [backlog.pop().seq, backlog.pop().seq] == [first, second]

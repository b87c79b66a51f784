"""What the log says of a pool that breaks, and of one that only limps."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pooldeck.pools.model import PoolState
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.runtime.tasks.breakage import Breakage

WHY = "worker cpu-4 could not start: ImportError: no such module\n\nTraceback …\n\nwhat it printed"
ERROR = "worker cpu-4 could not start: ImportError: no such module"


@dataclass
class Seen:
    """A pool as it is at one moment."""

    state: PoolState = PoolState.RUNNING
    reason: str | None = None
    staffed: Sequence[str] = ("cpu-1",)


SOUND = Seen()
STARTING = Seen(staffed=())
FAILING = Seen(reason=WHY, staffed=())
LIMPING = Seen(reason=WHY)
BROKEN = Seen(PoolState.BROKEN, WHY, ())


def said(caplog: pytest.LogCaptureFixture, *seen: Seen) -> list[str]:
    """Return what is said of a pool that is seen so, one after the other, a second apart."""
    clock = ManualClock()
    breakage = Breakage("cpu", clock)
    for each in seen:
        breakage.look(each)
        clock.advance(1)
    return [record.getMessage() for record in caplog.records]


def test_a_broken_pool_is_said_once_with_its_error_and_again_when_it_is_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines = said(caplog, STARTING, FAILING, BROKEN, BROKEN, STARTING, SOUND, SOUND)

    assert lines[0].startswith(f"pool cpu is broken and its tasks wait: {ERROR}. Mend that")
    assert lines[1:] == ["pool cpu is well again, after 3 s"]


def test_a_restart_that_does_not_mend_a_broken_pool_is_said_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines = said(caplog, BROKEN, STARTING, FAILING, BROKEN, STARTING, SOUND)

    assert [line.partition(":")[0].partition(",")[0] for line in lines] == [
        "pool cpu is broken and its tasks wait",
        "pool cpu is broken and its tasks wait",
        "pool cpu is well again",
    ]
    assert lines[-1] == "pool cpu is well again, after 5 s"


def test_a_pool_that_goes_on_with_other_workers_says_so_once_until_a_worker_starts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines = said(caplog, SOUND, LIMPING, LIMPING, SOUND, LIMPING)

    limping = f"pool cpu goes on with the workers that it has: {ERROR}"
    assert lines == [limping, "pool cpu gets new workers again", limping]


def test_a_pool_that_is_drained_while_it_is_broken_is_not_said_to_be_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stopped = Seen(PoolState.STOPPED, WHY, ())

    assert len(said(caplog, BROKEN, stopped, stopped)) == 1

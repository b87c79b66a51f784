"""What is seen by looking begins once, is over once, and goes on over a restart."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.alerts.rules import WATCHED, AlertRule, StoredAlert
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.alerts.rules import AlertRules
from pooldeck_server.runtime.alerts.watch import AlertWatch
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries
from tests.pooldeck_server.runtime.recording.test_recorder import Kept, recorder
from tests.support.stored import make


class Seen:
    """What there is to see."""

    def __init__(self, kept: Kept) -> None:
        self.pools: list[PoolHealth] = []
        self.notices: list[Notice] = []
        self.kept = kept

    def alerts(self) -> list[StoredAlert]:
        return self.kept.reader.call(queries.alert_news)

    def watch(self, folder: Path, recorder: Recorder) -> AlertWatch:
        standing = self.kept.reader.call(queries.open_alerts, tuple(WATCHED))
        return AlertWatch(
            rules=AlertRules(recorder=recorder, clock=ManualClock(), kept=()),
            recorder=recorder,
            clock=ManualClock(),
            pools=lambda: self.pools,
            notices=lambda: self.notices,
            data=folder,
            standing=[(each.rule, each.subject) for each in standing],
        )


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[tuple[Seen, AlertWatch]]:
    make(folder / "pooldeck.sqlite3")
    async with recorder(folder) as kept:
        seen = Seen(kept)
        watch = seen.watch(folder, kept.recorder)
        await watch.rules.change(
            AlertRule.LOW_DISK, is_on=False, threshold=None, quiet_seconds=None
        )
        yield seen, watch


def pool(oldest_wait: float | None = None, *notices: Notice) -> PoolHealth:
    return PoolHealth(
        name="cpu",
        kind=PoolKind.PROCESS,
        size=1,
        state="running",
        reason=None,
        busy=0,
        queued=3,
        oldest_wait=oldest_wait,
        incidents=0,
        workers=(),
        notices=notices,
    )


async def test_a_broken_pool_begins_once_and_is_over(tmp_path: Path) -> None:
    async with watching(tmp_path) as (seen, watch):
        broken = Notice(Need.BROKEN, "cpu", reason="ImportError: no\nTraceback with a secret")
        seen.pools = [pool(None, broken)]
        for _ in range(3):
            await watch.step()
        (alert,) = seen.alerts()
        assert (alert.rule, alert.subject) == (AlertRule.POOL_BROKEN, "pool cpu")
        assert (alert.count, alert.over_at, alert.text) == (1, None, "ImportError: no")
        seen.pools = [pool()]
        await watch.step()
        assert seen.alerts()[0].over_at is not None


async def test_what_goes_on_over_a_restart_does_not_begin_anew(tmp_path: Path) -> None:
    async with watching(tmp_path) as (seen, watch):
        seen.notices = [Notice(Need.NO_BACKUP, reason="the folder is full")]
        await watch.step()
        later = seen.watch(tmp_path, seen.kept.recorder)
        await later.rules.change(
            AlertRule.LOW_DISK, is_on=False, threshold=None, quiet_seconds=None
        )
        await later.step()
        (alert,) = seen.alerts()
        assert (alert.count, alert.over_at) == (1, None)
        seen.notices = []
        await later.step()
        assert seen.alerts()[0].over_at is not None


async def test_a_wait_is_measured_by_the_threshold(tmp_path: Path) -> None:
    wait = AlertRule.OLDEST_WAIT
    async with watching(tmp_path) as (seen, watch):
        seen.pools = [pool(599.0)]
        await watch.step()
        assert seen.alerts() == []
        await watch.rules.change(wait, is_on=True, threshold=60.0, quiet_seconds=None)
        await watch.step()
        (alert,) = seen.alerts()
        assert (alert.rule, alert.path) == (wait, "/tasks?state=queued&pool=cpu")


async def test_slow_writes_are_told_from_the_threshold_on_until_they_are_over(
    tmp_path: Path,
) -> None:
    async with watching(tmp_path) as (seen, watch):
        for seconds, number in ((1.5, 0), (2.5, 1), (1.5, 1)):
            seen.notices = [Notice(Need.SLOW_WRITES, seconds=seconds)]
            await watch.step()
            assert len(seen.alerts()) == number
        assert seen.alerts()[0].over_at is None


async def test_a_disk_below_the_threshold_is_told(tmp_path: Path) -> None:
    low = AlertRule.LOW_DISK
    async with watching(tmp_path) as (seen, watch):
        await watch.rules.change(low, is_on=True, threshold=90.0, quiet_seconds=None)
        await watch.step()
        expected = [low] if _free_percent(tmp_path) < 90 else []
        assert [each.rule for each in seen.alerts()] == expected


def _free_percent(folder: Path) -> float:
    usage = shutil.disk_usage(folder)
    return 100 * usage.free / usage.total

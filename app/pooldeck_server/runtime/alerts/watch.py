"""Looks for what begins and ends without anything being written: pools, waits, disk, database."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Final, TypeAlias

from pooldeck_server.domain.alerts.rules import OF_NEED, AlertFact, AlertRule
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.alerts.rules import AlertRules
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 5.0
_CLEARLY: Final = 1.1  # times the threshold must be free on the disk for it to be over
_GIB: Final = 1024**3

_Standing: TypeAlias = set[tuple[AlertRule, str]]


@dataclass(kw_only=True, eq=False)
class AlertWatch(BackgroundPart):
    """Raises alerts by looking, and ends them."""

    doing = "looking for what alerts tell of"

    rules: AlertRules
    recorder: Recorder
    clock: Clock
    pools: Callable[[], Iterable[PoolHealth]]
    notices: Callable[[], Iterable[Notice]]  # of the server as a whole
    data: Path
    standing: InitVar[Iterable[tuple[AlertRule, str]]]  # what was not over when it began to look

    def __post_init__(self, standing: Iterable[tuple[AlertRule, str]]) -> None:
        self._standing: _Standing = set(standing)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.step()
            except PooldeckError as error:  # which is told of by itself
                _log.debug("alerts are not noted: %s", error)

    async def step(self) -> None:
        """Note what has begun and what is over since the last look."""
        free = await asyncio.to_thread(_free_space, self.data)
        facts = [each for each in self._facts(free) if self.rules.get(each.rule).is_on]
        seen = {(fact.rule, fact.subject): fact for fact in facts}
        begun = [fact for key, fact in seen.items() if key not in self._standing]
        over = self._standing - seen.keys()
        if not begun and not over:
            return
        now = self.clock.now()

        def write(transaction: Transaction) -> None:
            records.raise_alerts(transaction, begun)
            for rule, subject in over:
                records.end_alert(transaction, rule, subject, now)

        await self.recorder.perform(write)
        self._standing = set(seen)

    def _facts(self, free: tuple[int, int] | None) -> Iterator[AlertFact]:
        now = self.clock.now()
        limit = self.rules.threshold(AlertRule.OLDEST_WAIT)
        for pool in self.pools():
            if (pool.oldest_wait or 0.0) > limit:
                yield _waiting(pool, now)
            for notice in pool.notices:
                yield from self._of(notice)
        for notice in self.notices():
            yield from self._of(notice)
        if free is not None:
            yield from self._low_disk(*free, now)

    def _of(self, notice: Notice) -> Iterator[AlertFact]:
        rule = OF_NEED.get(notice.need)
        if rule is None:
            return
        subject = _subject(notice)
        if rule is AlertRule.SLOW_WRITES and (rule, subject) not in self._standing:
            limit = self.rules.threshold(rule)
            if (notice.seconds or 0.0) < limit:
                return
        yield AlertFact(rule, subject, self.clock.now(), _text(notice), _path(notice))

    def _low_disk(self, free: int, total: int, now: int) -> Iterator[AlertFact]:
        subject = "the disk of the database"
        percent = 100.0 * free / max(total, 1)
        is_standing = (AlertRule.LOW_DISK, subject) in self._standing
        limit = self.rules.threshold(AlertRule.LOW_DISK) * (_CLEARLY if is_standing else 1.0)
        if percent < limit:
            text = f"{free / _GIB:.1f} GiB are free, {percent:.1f} %"
            yield AlertFact(AlertRule.LOW_DISK, subject, now, text)


def _free_space(folder: Path) -> tuple[int, int] | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free, usage.total


def _waiting(pool: PoolHealth, now: int) -> AlertFact:
    text = f"{pool.queued} tasks are queued, the oldest for {pool.oldest_wait or 0.0:.0f} s"
    path = f"/tasks?state=queued&pool={pool.name}"
    return AlertFact(AlertRule.OLDEST_WAIT, f"pool {pool.name}", now, text, path)


def _subject(notice: Notice) -> str:
    if notice.need is Need.MISPLACED:
        return notice.function or "several functions"
    return f"pool {notice.pool}" if notice.pool else "the database"


def _text(notice: Notice) -> str:
    reason = (notice.reason or "").strip().partition("\n")[0]
    match notice.need:
        case Need.SLOW_WRITES:
            return f"a commit takes more than {notice.seconds or 0.0:.0f} s"
        case Need.MISPLACED:
            better = f" in {notice.target}" if notice.target else " elsewhere"
            return f"it would be {notice.gain or 1.0:.1f} times as fast{better}"
        case Need.STARVATION:
            return f"all {notice.number} slots are busy, nothing ends, and tasks wait"
        case Need.STUCK:
            what = f"{notice.function} runs" if notice.function else f"{notice.number} tasks run"
            return f"{what} far longer than usual"
        case _:
            return reason or "its workers do not start"


def _path(notice: Notice) -> str:
    if notice.need is Need.MISPLACED:
        return "/functions"
    return f"/tasks/{notice.task}" if notice.task else "/pools"

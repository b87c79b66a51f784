"""Deletes what is too old or too much, in small parts, beside everything else.

It owns the rules and the word for deleting. A look finds what goes; the recorder gets a part of it
at a time, and after each the writer is left to others for several times as long.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import asdict, replace

from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import HOUR, Clock, seconds
from pooldeck_server.domain.errors import Conflict, Draining, PooldeckError
from pooldeck_server.domain.leaps import ClockLeap
from pooldeck_server.domain.retention import DAY, KeptRules, RetentionRules
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock
from pooldeck_server.runtime.retention.deleting import Deleted, Deleting
from pooldeck_server.runtime.retention.sweep import Candidates, RetentionSweep
from pooldeck_server.settings import RetentionSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 60.0
_TROUBLE_SECONDS: Final = 60.0
_MOST_TRIMS: Final = 1000  # parts of what belongs to no task, in one look


@dataclass(kw_only=True, eq=False)
class Retention(BackgroundPart):
    """What goes and when."""

    doing = "deleting what is too old"

    settings: RetentionSettings
    kept: KeptRules
    recorder: Recorder
    reader: Reader
    clock: Clock
    vouched: VouchedClock  # by which something is too old
    changes: LiveChanges
    is_held: Callable[[], bool]  # whether nothing goes, since a backup's tasks wait for a word
    deleting: Deleting
    last_at: int | None = field(init=False, default=None)  # of the latest look, microseconds
    last_number: int = field(init=False, default=0)  # tasks that it deleted
    _trimmed_at: int | None = field(init=False, default=None)  # all that belongs to no task
    _kept_leap: ClockLeap | None = field(init=False)
    _wanted: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._kept_leap = self.vouched.memory.leap

    @property
    def rules(self) -> RetentionRules:
        """Those that count: set by hand, or else the settings'."""
        return self.kept.rules or self.settings.rules

    @property
    def waits_for_a_word(self) -> bool:
        """Tell whether tasks from before there was retention wait for somebody's yes."""
        return self.kept.allowed_at is None

    def expires_at(self, task: StoredTask) -> int | None:
        """Return when a task may be deleted by its age (microseconds); None: it is kept."""
        if self.waits_for_a_word or task.kept_at is not None or task.state not in FINAL:
            return None
        return self.rules.expires_at(task.function, task.state, task.finished_at)

    async def set_rules(self, rules: RetentionRules | None) -> None:
        """Let other rules count from now on; None: those of the settings again.

        Raises:
            StorageUnavailable: If they could not be kept.
        """
        now = self.clock.now()
        action = acting.action(
            now,
            Deed.SET_RETENTION,
            "server",
            before=asdict(self.rules),
            after=asdict(rules or self.settings.rules),
        )

        def write(transaction: Transaction) -> None:
            records.save_rules(transaction, rules, now)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self.kept = replace(self.kept, rules=rules, changed_at=now)
        self._trimmed_at = None
        self._look_soon()

    async def allow(self) -> None:
        """Let tasks be deleted that are from before there was retention.

        Raises:
            Conflict: If nothing waits for that word.
            StorageUnavailable: If it could not be kept.
        """
        if not self.waits_for_a_word:
            raise Conflict("tasks are deleted by the rules already: nothing waits for a word")
        now = self.clock.now()
        action = acting.action(now, Deed.ALLOW_DELETION, "server")

        def write(transaction: Transaction) -> None:
            records.allow_deletion(transaction, now)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self.kept = replace(self.kept, allowed_at=now)
        _log.info("what is too old is deleted from now on: somebody has said so")
        self._look_soon()

    async def vouch(self) -> None:
        """Let the clock count as it is, although it went far ahead.

        Raises:
            Conflict: If it did not.
            StorageUnavailable: If that could not be kept.
        """
        leap = self.vouched.leap
        if leap is None:
            raise Conflict("the clock is as it should be: nobody has to vouch for it")
        before = {"seconds_ahead": int(seconds(leap.to - leap.since))}
        action = acting.action(self.clock.now(), Deed.VOUCH_FOR_CLOCK, "server", before=before)

        def write(transaction: Transaction) -> None:
            records.save_leap(transaction, None)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self.vouched.vouch()
        self._kept_leap = self._trimmed_at = None
        self._look_soon()

    async def _keep_leap(self) -> None:
        """Keep a leap, so that a start while the clock is still ahead knows of it."""
        leap = self.vouched.leap
        before = self._kept_leap
        if leap is None and before is None:
            return
        if leap and before and leap.since - before.since < HOUR:
            return
        await self.recorder.perform(lambda tx: records.save_leap(tx, leap))
        self._kept_leap = leap

    def _look_soon(self) -> None:
        self._wanted.set()
        self.changes.invalidate()

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await self.step()
                pause = _LOOK_SECONDS
            except Draining:  # the server ends; the rest goes in its next run
                return
            except PooldeckError as error:
                _log.warning("what is too old was not deleted: %s", error)
                pause = _TROUBLE_SECONDS
            try:
                await asyncio.wait_for(self._wanted.wait(), pause)
            except TimeoutError:
                continue

    async def step(self) -> int:
        """Delete all that has to go now; return how many tasks.

        Raises:
            PooldeckError: If the store cannot be read or written.
        """
        if self.waits_for_a_word or self.is_held():
            return 0
        await self._keep_leap()
        now, rules = self.clock.now(), self.rules
        sweep = RetentionSweep(reader=self.reader, rules=rules, now=self.vouched.now())
        number = 0
        async for found in sweep.by_age():
            if self.rules != rules:  # others were set meanwhile
                return number
            number += (await self._delete(found, now)).number
        number += await self._cut_functions(sweep)
        number += await self._cut_all(sweep)
        is_due = self._trimmed_at is None or abs(now - self._trimmed_at) >= HOUR
        if is_due and await self._trim(self.vouched.now(), rules):
            self._trimmed_at = now
        self.last_at, self.last_number = now, number
        if number:
            _log.info("%d tasks were deleted: too old, or too many", number)
        return number

    async def _delete(self, found: Candidates, now: int) -> Deleted:
        return await self.deleting.delete(
            found.seqs, now=now, action=_of_the_day(now), cutoff=found.cutoff
        )

    async def _cut_functions(self, sweep: RetentionSweep) -> int:
        """Delete the oldest of those functions that have more ended tasks than they may."""
        if not any(each.most for each in sweep.rules.functions):
            return 0
        kept: Counter[str] = Counter()
        for lane in await self.reader.run(queries.final_lanes):
            kept[lane.function] += lane.n
        number = 0
        for function, excess in sweep.excess_of_functions(kept):
            number += await self._cut(sweep, excess, function)
        return number

    async def _cut_all(self, sweep: RetentionSweep) -> int:
        if not sweep.rules.most:
            return 0
        kept = sum(lane.n for lane in await self.reader.run(queries.final_lanes))
        return await self._cut(sweep, kept - sweep.rules.most)

    async def _cut(self, sweep: RetentionSweep, excess: int, function: str | None = None) -> int:
        """Delete the oldest tasks until `excess` of them are gone, or none is left that may go."""
        number = 0
        if excess <= 0:
            return 0
        async for found in sweep.by_number(function):
            if self.rules != sweep.rules:
                break
            some = found if found.is_pipeline else replace(found, seqs=found.seqs[:excess])
            done = await self._delete(some, self.clock.now())
            number += done.number
            excess -= done.number if function is None else done.functions.get(function, 0)
            if excess <= 0:
                break
        return number

    async def _trim(self, now: int, rules: RetentionRules) -> bool:
        """Delete what belongs to no single task and is too old; return whether that is all."""
        cutoff = now - int(rules.others * DAY) if rules.others else None
        for _ in range(_MOST_TRIMS):
            trimmed = await self.recorder.perform(lambda tx: records.trim_others(tx, now, cutoff))
            if not trimmed:
                return True
            await self.deleting.rest()
        return False

    async def upcoming(self) -> "dict[State, tuple[int, int]]":
        """Return of each final state how many tasks are too old, and get so within a week.

        By the times of their submission, which are a little before those of their ends.
        """
        now, rules = self.vouched.now(), self.rules
        found = {state: (0, 0) for state in State if state in FINAL}
        for lane in await self.reader.run(queries.final_lanes):
            cutoff = rules.cutoff(lane.function, lane.state, now)
            if cutoff is not None:
                read = self.reader.run
                old = await read(queries.count_submitted_before, lane, cutoff)
                then = await read(queries.count_submitted_before, lane, cutoff + 7 * DAY)
                before = found[lane.state]
                found[lane.state] = (before[0] + old, before[1] + then - old)
        return found


def _of_the_day(now: int) -> Action:
    """Return what the log says of all that goes by the rules on one day."""
    action = acting.action(now, Deed.DELETE, "tasks", by=acting.part("retention"))
    return replace(action, id=f"retention-{now // DAY}")

"""The notices that somebody has seen: they fold away until they end, or get worse.

It owns who saw what, in memory and in the store. What is over is forgotten, so that it is told anew
when it comes again; where nothing was seen there is nothing to look for.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import Final

from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.notices import Notice, SeenNotice
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 2.0


@dataclass(kw_only=True, eq=False)
class SeenNotices(BackgroundPart):
    """Knows who has seen which notice."""

    doing = "looking which notices that were seen are over"

    recorder: Recorder
    clock: Clock
    changes: LiveChanges
    present: Callable[[], Iterable[Notice]]  # gives all notices that there are
    kept: InitVar[Iterable[SeenNotice]] = ()  # what the store knows from before
    over_after: float = 10.0  # seconds without it, after which a notice is over: it may flicker
    sure_after: float = 60.0  # seconds in which a start is still finding out how things are
    _missed: dict[str, float] = field(init=False, default_factory=dict)  # since when, monotonic

    def __post_init__(self, kept: Iterable[SeenNotice]) -> None:
        self._seen = {each.key: each for each in kept}
        self._began = self.clock.monotonic()

    def of(self, notice: Notice) -> SeenNotice | None:
        """Return who has seen a notice as it is; None if nobody has, or it was not as bad then."""
        seen = self._seen.get(notice.key)
        return None if seen is None or notice.weight > seen.weight else seen

    async def see(self, key: str, words: Callable[[Notice], str]) -> SeenNotice:
        """Note that whoever asks has seen a notice.

        Args:
            key: Which.
            words: Says it in English, for the log of actions.

        Raises:
            NotFound: If there is none now.
            StorageUnavailable: If it could not be written.
        """
        notice = self._find(key)
        if notice is None:
            raise NotFound("there is no such notice any more: it has ended")
        actor, now = acting.present(), self.clock.now()
        seen = SeenNotice(key, notice.weight, actor.name, now)
        said = words(notice)
        action = acting.action(now, Deed.SEE_NOTICE, "notice", key, reason=said)
        await self.recorder.perform(partial(_save, seen=seen, action=action))
        self._seen[key] = seen
        _log.info("%s has seen: %s", actor.name, said, extra=about(notice=key))
        self.changes.invalidate()
        return seen

    async def unsee(self, key: str) -> None:
        """Let a notice stand among those that nobody has seen again.

        Raises:
            NotFound: If nobody has seen it.
            StorageUnavailable: If it could not be written.
        """
        if key not in self._seen:
            raise NotFound("nobody has said to have seen that notice, or it has ended")
        action = acting.action(self.clock.now(), Deed.UNSEE_NOTICE, "notice", key)
        await self.recorder.perform(partial(_forget_by_hand, key=key, action=action))
        self._seen.pop(key, None)
        self.changes.invalidate()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.step()

    async def step(self) -> None:
        """Forget what is over, and what is worse than it was when somebody saw it."""
        if not self._seen:
            return
        present = {notice.key: notice for notice in self.present()}
        gone = [key for key in self._seen if self._is_over(key, present.get(key))]
        if gone:
            what = f"that {len(gone)} notices are over"
            if await self.recorder.try_perform(partial(records.forget_notices, keys=gone), what):
                for key in gone:
                    self._seen.pop(key, None)
                    self._missed.pop(key, None)

    def _is_over(self, key: str, notice: Notice | None) -> bool:
        now = self.clock.monotonic()
        if notice is not None:
            self._missed.pop(key, None)
            return notice.weight > self._seen[key].weight
        since = self._missed.setdefault(key, now)
        return now - since >= self.over_after and now - self._began >= self.sure_after

    def _find(self, key: str) -> Notice | None:
        return next((notice for notice in self.present() if notice.key == key), None)


def _save(transaction: Transaction, seen: SeenNotice, action: Action) -> None:
    records.see_notice(transaction, seen)
    records.act(transaction, action)


def _forget_by_hand(transaction: Transaction, key: str, action: Action) -> None:
    records.forget_notices(transaction, [key])
    records.act(transaction, action)

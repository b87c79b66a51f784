"""Functions on hold: too many workers died under them, so their tasks wait until released."""

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import Final

from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import FunctionOnHold, NotFound
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_RETRY_AFTER: Final = 60  # seconds; somebody has to look at it first


@dataclass(kw_only=True, eq=False)
class Holds:
    """Which functions are on hold, in memory and in the store."""

    recorder: Recorder
    clock: Clock
    annotations: Annotations
    changes: LiveChanges
    held: InitVar[Iterable[Hold]]  # those that the store has kept
    deaths: int  # after so many deaths a function is put on hold; 0: never
    seconds: float  # the time within which they count
    _deaths: defaultdict[str, deque[float]] = field(
        init=False, default_factory=lambda: defaultdict(deque)
    )
    _followers: list[Callable[[str], None]] = field(init=False, default_factory=list)
    _savings: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)

    def __post_init__(self, held: Iterable[Hold]) -> None:
        self._held = {hold.function: hold for hold in held}

    def follow(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with the name of each function that is put on hold or released."""
        self._followers.append(changed)

    def all(self) -> tuple[Hold, ...]:
        return tuple(self._held[function] for function in sorted(self._held))

    def get(self, function: str) -> Hold | None:
        return self._held.get(function)

    def __contains__(self, function: str) -> bool:
        return function in self._held

    def check(self, function: str) -> None:
        """Raise `FunctionOnHold` if a function is."""
        if hold := self._held.get(function):
            raise FunctionOnHold(
                f"{hold.reason}; it is on hold until somebody releases it",
                retry_after=_RETRY_AFTER,
                function=function,
            )

    def add_death(self, function: str, cause: str) -> None:
        """Count a death that is due to a function, and put it on hold if it is one too many."""
        now = self.clock.monotonic()
        deaths = self._deaths[function]
        deaths.append(now)
        while deaths[0] < now - self.seconds:
            deaths.popleft()
        if self.deaths and len(deaths) >= self.deaths and function not in self:
            self._put(
                Hold(
                    function=function,
                    since=self.clock.now(),
                    deaths=len(deaths),
                    reason=f"{len(deaths)} workers died under {function} within "
                    f"{self.seconds:g} seconds; the last one {cause}",
                )
            )

    def _put(self, hold: Hold) -> None:
        _log.warning(
            "%s is on hold, and its tasks wait: %s. Mend it, restart its pool, then release it, on "
            "its page or by POST /api/v1/functions/%s/release",
            hold.function,
            hold.reason,
            hold.function,
            extra=about(function=hold.function, deaths=hold.deaths),
        )
        self._held[hold.function] = hold
        self.annotations.annotate("hold", subject=hold.function, deaths=hold.deaths)
        self._notify(hold.function)
        action = acting.action(
            hold.since,
            Deed.HOLD,
            "function",
            hold.function,
            reason=hold.reason,
            by=acting.part("holds"),
        )
        write = partial(_save, hold=hold, action=action)
        what = f"the hold on {hold.function}"
        self._savings.start(self.recorder.try_perform(write, what))

    async def release(self, function: str, reason: str | None = None) -> None:
        """Let a function run again; `reason` says why, for the record.

        Raises:
            NotFound: If it is not on hold.
            StorageUnavailable: If it could not be written; the hold stays.
        """
        if function not in self._held:
            raise NotFound(f"{function} is not on hold")
        await self._savings.finish()
        action = acting.action(self.clock.now(), Deed.RELEASE, "function", function, reason=reason)
        await self.recorder.perform(partial(_lift, function=function, action=action))
        self._held.pop(function, None)
        self._deaths.pop(function, None)
        _log.info("%s is released: its tasks run again", function, extra=about(function=function))
        self.annotations.annotate("release", subject=function, reason=reason)
        self._notify(function)
        self.changes.invalidate()

    def _notify(self, function: str) -> None:
        for changed in self._followers:
            changed(function)


def _save(transaction: Transaction, hold: Hold, action: Action) -> None:
    records.save_hold(transaction, hold)
    records.act(transaction, action)


def _lift(transaction: Transaction, function: str, action: Action) -> None:
    if records.lift_hold(transaction, function, action.at):
        records.act(transaction, action)

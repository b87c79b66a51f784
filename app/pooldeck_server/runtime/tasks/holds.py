"""Functions whose tasks wait until somebody lets them go on.

On hold, since too many workers died under them or since somebody said so: new tasks are refused. Or
paused by hand: new ones are taken, and wait too. Whoever asks why a task does not run asks here.
"""

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import Final

from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, FunctionOnHold, NotFound
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.pools.annotations import Kind
from pooldeck_server.domain.pools.controls import Hold, HoldKind
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_RETRY_AFTER: Final = 60  # seconds; somebody has to look at it first
_BEGINS: Final[Mapping[HoldKind, tuple[Deed, Kind]]] = {
    HoldKind.HAND: (Deed.HOLD, "hold"),
    HoldKind.PAUSE: (Deed.PAUSE, "pause_function"),
}
_ENDS: Final[Mapping[HoldKind, tuple[Deed, Kind]]] = {
    HoldKind.CRASHES: (Deed.RELEASE, "release"),
    HoldKind.HAND: (Deed.RELEASE, "release"),
    HoldKind.PAUSE: (Deed.RESUME, "resume_function"),
}


@dataclass(kw_only=True, eq=False)
class Holds:
    """Which functions are on hold or paused, in memory and in the store."""

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
        """Call `changed` with the name of each function that is held or let go."""
        self._followers.append(changed)

    def all(self) -> tuple[Hold, ...]:
        return tuple(self._held[function] for function in sorted(self._held))

    def get(self, function: str) -> Hold | None:
        return self._held.get(function)

    def __contains__(self, function: str) -> bool:
        """Tell whether the tasks of a function wait, on hold or paused."""
        return function in self._held

    def check(self, function: str) -> None:
        """Raise `FunctionOnHold` if new tasks of a function are refused."""
        hold = self._held.get(function)
        if hold is not None and hold.refuses:
            raise FunctionOnHold(_refusal(hold), retry_after=_RETRY_AFTER, function=function)

    def check_runs(self, function: str) -> None:
        """Raise `FunctionOnHold` if no task of a function would run now."""
        self.check(function)
        if function in self:
            raise FunctionOnHold(
                f"{function} is paused: its tasks wait until somebody resumes it",
                retry_after=_RETRY_AFTER,
                function=function,
            )

    # By hand.

    async def hold(self, function: str, reason: str | None = None) -> Hold:
        """Let a function's tasks wait, and refuse new ones, until somebody releases it.

        One that was paused is on hold from then on.

        Args:
            function: Its name; whoever calls has looked whether there is such a function.
            reason: Why, for the record and for whoever is refused.

        Raises:
            Conflict: If it is on hold after crashes.
            StorageUnavailable: If it could not be written; nothing has changed then.
        """
        return await self._hold_by_hand(function, HoldKind.HAND, reason)

    async def pause(self, function: str, reason: str | None = None) -> Hold:
        """Let a function's tasks wait, and take new ones, until somebody resumes it.

        Raises:
            Conflict: If it is on hold.
            StorageUnavailable: If it could not be written; nothing has changed then.
        """
        return await self._hold_by_hand(function, HoldKind.PAUSE, reason)

    async def _hold_by_hand(self, function: str, kind: HoldKind, reason: str | None) -> Hold:
        await self._savings.finish()
        before = self._held.get(function)
        if before is not None and before.refuses and before.kind is not kind:
            raise Conflict(f"{function} is on hold already; release it first")
        now = self.clock.now()
        hold = Hold(
            function=function,
            since=before.since if before and before.kind is kind else now,
            deaths=0,
            reason=reason or "",
            kind=kind,
            by=acting.present().name,
        )
        deed, mark = _BEGINS[kind]
        action = acting.action(now, deed, "function", function, reason=reason)
        await self.recorder.perform(partial(_save, hold=hold, action=action))
        self._held[function] = hold
        _log.info(
            "%s is %s by %s%s",
            function,
            "put on hold" if hold.refuses else "paused",
            hold.by,
            f": {reason}" if reason else "",
            extra=about(function=function),
        )
        self.annotations.annotate(mark, subject=function, reason=reason)
        self._notify(function)
        self.changes.invalidate()
        return hold

    # After crashes.

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
                    cause=cause,
                    within=self.seconds,
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

    # Its end.

    async def release(self, function: str, reason: str | None = None) -> None:
        """Let a function that is on hold run again; `reason` says why, for the record.

        Raises:
            NotFound: If it is not on hold.
            StorageUnavailable: If it could not be written; the hold stays.
        """
        hold = self._held.get(function)
        if hold is None or not hold.refuses:
            more = " but paused: resume it" if hold else ""
            raise NotFound(f"{function} is not on hold{more}")
        await self._let_go(hold, reason)
        _log.info("%s is released: its tasks run again", function, extra=about(function=function))

    async def resume(self, function: str, reason: str | None = None) -> None:
        """Let a function that is paused go on; `reason` says why, for the record.

        Raises:
            NotFound: If it is not paused.
            StorageUnavailable: If it could not be written; it stays paused.
        """
        hold = self._held.get(function)
        if hold is None or hold.refuses:
            more = " but on hold: release it" if hold else ""
            raise NotFound(f"{function} is not paused{more}")
        await self._let_go(hold, reason)
        _log.info("%s is resumed: its tasks run again", function, extra=about(function=function))

    async def _let_go(self, hold: Hold, reason: str | None) -> None:
        function = hold.function
        deed, mark = _ENDS[hold.kind]
        await self._savings.finish()
        action = acting.action(self.clock.now(), deed, "function", function, reason=reason)
        await self.recorder.perform(partial(_lift, function=function, action=action))
        self._held.pop(function, None)
        self._deaths.pop(function, None)
        self.annotations.annotate(mark, subject=function, reason=reason)
        self._notify(function)
        self.changes.invalidate()

    def _notify(self, function: str) -> None:
        for changed in self._followers:
            changed(function)


def _refusal(hold: Hold) -> str:
    if hold.kind is HoldKind.CRASHES:
        return f"{hold.reason}; it is on hold until somebody releases it"
    because = f": {hold.reason}" if hold.reason else ""
    return f"{hold.function} was put on hold by {hold.by}{because}; it waits to be released"


def _save(transaction: Transaction, hold: Hold, action: Action) -> None:
    records.save_hold(transaction, hold)
    records.act(transaction, action)


def _lift(transaction: Transaction, function: str, action: Action) -> None:
    if records.lift_hold(transaction, function, action.at):
        records.act(transaction, action)

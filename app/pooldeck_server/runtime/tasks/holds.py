"""Functions on hold: too many workers died under them, so their tasks wait until released."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import FunctionOnHold, NotFound, PooldeckError
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records

_log = logging.getLogger(__name__)
_RETRY_AFTER: Final = 60  # seconds; somebody has to look at it first


class Holds:
    """Which functions are on hold, in memory and in the store.

    Args:
        recorder: Where holds are kept.
        clock: The server's time.
        annotations: Notes what is put on hold and released.
        held: Those that the store has kept.
        deaths: After so many deaths a function is put on hold; 0: never.
        seconds: The time within which they count.
    """

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        annotations: Annotations,
        held: Iterable[Hold],
        *,
        deaths: int,
        seconds: float,
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._annotations = annotations
        self._most_deaths = deaths
        self._seconds = seconds
        self._held = {hold.function: hold for hold in held}
        self._deaths: defaultdict[str, deque[float]] = defaultdict(deque)
        self._followers: list[Callable[[str], None]] = []
        self._savings: set[asyncio.Task[None]] = set()

    def follow(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with the name of each function that is put on hold or released."""
        self._followers.append(changed)

    def all(self) -> tuple[Hold, ...]:
        """Return the holds, by function."""
        return tuple(self._held[function] for function in sorted(self._held))

    def get(self, function: str) -> Hold | None:
        """Return the hold on a function, or None."""
        return self._held.get(function)

    def __contains__(self, function: str) -> bool:
        return function in self._held

    def check(self, function: str) -> None:
        """Refuse a submission of a function on hold.

        Raises:
            FunctionOnHold: If it is.
        """
        if hold := self._held.get(function):
            raise FunctionOnHold(
                f"{hold.reason}; it is on hold until somebody releases it",
                retry_after=_RETRY_AFTER,
                function=function,
            )

    def note_death(self, function: str, cause: str) -> None:
        """Count a death that is due to a function, and put it on hold if it is one too many."""
        now = self._clock.monotonic()
        deaths = self._deaths[function]
        deaths.append(now)
        while deaths[0] < now - self._seconds:
            deaths.popleft()
        if self._most_deaths and len(deaths) >= self._most_deaths and function not in self:
            self._put(
                Hold(
                    function=function,
                    since=self._clock.now(),
                    deaths=len(deaths),
                    reason=f"{len(deaths)} workers died under {function} within "
                    f"{self._seconds:g} seconds; the last one {cause}",
                )
            )

    def _put(self, hold: Hold) -> None:
        _log.warning("%s: it is on hold", hold.reason)
        self._held[hold.function] = hold
        self._annotations.annotate("hold", subject=hold.function, deaths=hold.deaths)
        self._tell(hold.function)
        saving = asyncio.ensure_future(self._save(hold))
        self._savings.add(saving)
        saving.add_done_callback(self._savings.discard)

    async def _save(self, hold: Hold) -> None:
        try:
            await self._recorder.perform(lambda tx: records.save_hold(tx, hold))
        except PooldeckError as error:
            _log.warning("the hold on %s was not kept: %s", hold.function, error)

    async def release(self, function: str) -> None:
        """Let a function run again.

        Raises:
            NotFound: If it is not on hold.
            StorageUnavailable: If it could not be written; the hold stays.
        """
        if function not in self._held:
            raise NotFound(f"{function} is not on hold")
        await asyncio.gather(*self._savings)
        await self._recorder.perform(lambda tx: records.lift_hold(tx, function))
        self._held.pop(function, None)
        self._deaths.pop(function, None)
        self._annotations.annotate("release", subject=function)
        self._tell(function)

    def _tell(self, function: str) -> None:
        for changed in self._followers:
            changed(function)

"""The clock that deletion by age goes by: a leap ahead of the machine's makes nothing older.

A virtual machine that is resumed, or a wrong answer of a time server, may put the clock a month
ahead for a moment; what is deleted then is gone. So the wall clock is held against the one since
the machine's boot, and at the start against the newest that the store knows. Where it is far ahead,
time goes on from where it was known, at its usual pace, until the wall clock is back or somebody
vouches for it.
"""

import logging
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.clock import Clock, seconds, span
from pooldeck_server.domain.leaps import (
    LEAP,
    LONG_OFF,
    SETTLED_SECONDS,
    ClockLeap,
    ClockMemory,
)
from pooldeck_server.runtime.changes import LiveChanges

_log = logging.getLogger(__name__)
_DAY_SECONDS: Final = 86_400.0


@dataclass(kw_only=True, eq=False)
class VouchedClock:
    """Tells the time that is known to have passed."""

    clock: Clock
    changes: LiveChanges
    memory: ClockMemory  # what the store knows of the time before this start
    _leap: ClockLeap | None = field(init=False, default=None)
    _since: float = field(init=False, default=0.0)  # since boot, when that was seen

    def __post_init__(self) -> None:
        self._wall, self._elapsed = self.clock.now(), self.clock.since_boot()
        kept, newest = self.memory.leap, self.memory.newest
        if kept is not None:
            if self._wall >= kept.to - LEAP:  # else it has gone back meanwhile
                self._begin(kept, "the clock was far ahead when the server ended, and still is")
        elif newest is not None and self._wall - newest > LONG_OFF:
            self._begin(
                ClockLeap(newest, self._wall, settles=True),
                "the clock is far ahead of the newest that the database knows: the server was off "
                "for so long, or the clock is wrong",
            )

    @property
    def leap(self) -> ClockLeap | None:
        """From where to where the clock went, as of now; None: it is as it should be."""
        now = self.now()
        return self._leap and ClockLeap(now, self.clock.now(), self._leap.settles)

    def now(self) -> int:
        """Return the time up to which something may have become too old, in microseconds."""
        wall, elapsed = self.clock.now(), self.clock.since_boot()
        if self._leap is None:
            expected = self._wall + span(elapsed - self._elapsed)
            self._wall, self._elapsed = wall, elapsed
            if wall - expected <= LEAP:
                return wall
            self._begin(ClockLeap(expected, wall), "the clock went far ahead at once")
        return self._while_ahead(wall, elapsed)

    def vouch(self) -> None:
        """Let the wall clock count as it is."""
        self._end("somebody says that the clock is right")

    def _while_ahead(self, wall: int, elapsed: float) -> int:
        assert self._leap is not None  # noqa: S101 - for the reader of types
        known = self._leap.since + span(elapsed - self._since)
        if wall - known <= LEAP:
            self._end("the clock is back")
            return wall
        if self._leap.settles and elapsed - self._since >= SETTLED_SECONDS:
            self._end("the server has run for a day by this clock: it counts")
            return wall
        return known

    def _begin(self, leap: ClockLeap, why: str) -> None:
        self._leap, self._since = leap, self.clock.since_boot()
        days = seconds(leap.to - leap.since) / _DAY_SECONDS
        _log.warning(
            "%s, by %.0f days: nothing is deleted for an age that it would have only by that. If "
            "the clock is right, say so on /retention",
            why,
            days,
        )
        self.changes.mark_dirty()

    def _end(self, why: str) -> None:
        self._leap = None
        self._wall, self._elapsed = self.clock.now(), self.clock.since_boot()
        _log.warning("%s: what is too old by it is deleted", why)
        self.changes.mark_dirty()

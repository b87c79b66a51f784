"""The clock that deletion goes by, over one that a test moves."""

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.leaps import ClockLeap, ClockMemory
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock


def vouched(clock: Clock, newest: int | None = None, leap: ClockLeap | None = None) -> VouchedClock:
    """Return one that begins with what a store knows."""
    return VouchedClock(clock=clock, changes=LiveChanges(), memory=ClockMemory(newest, leap))

"""Leaps of the clock: how far ahead it has to be for its time to be doubted.

Times are microseconds since the epoch.
"""

from typing import Final

from msgspec import Struct

from pooldeck_server.domain.clock import HOUR

LEAP: Final = 24 * HOUR
"""How far the clock may run ahead of the time that is known to have passed."""

LONG_OFF: Final = 30 * 24 * HOUR
"""How much newer than all that the store knows a start may be: servers are off for weeks."""

SETTLED_SECONDS: Final = 24 * 3600.0
"""After how long a run the clock of such a start counts: a wrong one has been seen by then."""


class ClockLeap(Struct, frozen=True):
    """From where to where the clock went at once.

    What a start found `settles` by itself: the server may have been off for so long.
    """

    since: int
    to: int
    settles: bool = False


class ClockMemory(Struct, frozen=True):
    """What the store knows of the time: its newest moment, and a leap that nobody vouched for."""

    newest: int | None
    leap: ClockLeap | None = None

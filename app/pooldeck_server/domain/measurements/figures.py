"""Figures that the store keeps or works out: counts, ends per minute, waits and runs."""

import math
from collections.abc import Iterable
from typing import Self

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State


class Count(Struct, frozen=True):
    """How many tasks of a function in a pool are in a state."""

    pool: str
    function: str
    state: State
    n: int


class Activity(Struct, frozen=True):
    """What ended within a minute, and the sums of its waits and runs."""

    minute: int  # since the epoch
    pool: str
    function: str
    state: State
    n: int
    wait_seconds: float
    run_seconds: float


class Percentiles(Struct, frozen=True):
    """Of some durations in seconds: half took at most `p50`, nineteen in twenty at most `p95`."""

    p50: float
    p95: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Self | None:
        """Return the nearest-rank percentiles of the values that are known; None if none is."""
        known = sorted(value for value in values if value is not None)
        if not known:
            return None
        return cls(*(known[math.ceil(share * len(known)) - 1] for share in (0.5, 0.95)))


class Durations(Struct, frozen=True):
    """How long a function's latest tasks waited and ran; None where none did."""

    n: int = 0
    wait: Percentiles | None = None
    run: Percentiles | None = None


class Spread(Struct, frozen=True):
    """How long the tasks of a function that ended lately waited and ran; None where none did."""

    wait: Percentiles | None
    run: Percentiles | None


class FunctionFigures(Struct, frozen=True):
    """What became of a function's tasks: all that are kept, and those that ended in a window."""

    function: str
    counts: dict[State, int]
    ended: dict[State, int]
    wait_seconds: float  # of those that ended in the window, together
    run_seconds: float

"""When do measurements move a function by themselves? Late, seldom, and only for a clear gain.

An advice follows the latest runs; a function that changed its pool with each of them would never
come to rest. So a move waits until enough was measured, the advice has stood for some time, and the
last move is long enough ago. Whether the function may be moved at all is its owner's to say, see
`pooldeck_server.domain.functions.placements`.
"""

from typing import Final

from msgspec import Struct

from pooldeck_server.advice.values import Advice, Verdict
from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.functions.placements import Placement, PlacementRule

STEADY: Final = 10.0
"""Seconds for which an advice must have been the same."""

GAIN: Final = 1.2
"""How many times as fast a function has to become."""

PAUSE: Final = 60.0
"""Seconds between the first move of a function and the next; each doubles it."""

LONGEST_PAUSE: Final = 3600.0
"""Seconds."""

_UNSURE: Final = frozenset({"none", "low"})


class Leaning(Struct, frozen=True):
    """The wish to move a function to a pool, and since when (monotonic seconds) it has stood."""

    pool: str
    since: float


def leaning(advice: Advice, before: Leaning | None, now: float) -> Leaning | None:
    """Return where an advice would have a function moved, None if it may stay.

    Args:
        advice: The advice of now.
        before: Where it would have been moved to until now.
        now: Monotonic seconds.
    """
    target = advice.recommended.pool if advice.recommended else None
    if target is None or not _is_worth_it(advice):
        return None
    return before if before is not None and before.pool == target else Leaning(target, now)


def is_ripe(wish: Leaning, placement: Placement, now: float, at: int) -> bool:
    """Tell whether a wish has stood long enough to be followed.

    Args:
        wish: The wish.
        placement: Where the function is.
        now: Monotonic seconds.
        at: Microseconds since the epoch.
    """
    if now - wish.since < STEADY:
        return False
    return placement.since is None or seconds(at - placement.since) >= pause(placement.moves)


def pause(moves: int) -> float:
    """Return how many seconds a function stays where it is after so many moves."""
    return min(LONGEST_PAUSE, PAUSE * 2.0 ** (moves - 1)) if moves else 0.0


def moved(wish: Leaning, advice: Advice, placement: Placement, at: int) -> Placement:
    """Return where a function is once a wish is followed; `at` is microseconds since the epoch."""
    return Placement(
        pool=wish.pool,
        rule=PlacementRule.MEASURED,
        since=at,
        verdict=advice.verdict,
        confidence=advice.confidence,
        runs=advice.numbers.runs_ever,
        gain=round(advice.cost.gain, 2) if advice.cost else None,
        before=placement.pool,
        moves=placement.moves + 1,
    )


def _is_worth_it(advice: Advice) -> bool:
    """Tell whether enough is known, and gained.

    What holds the GIL goes to processes even where it gains nothing by that: in threads it slows
    down everything beside it.
    """
    if not advice.is_misplaced or advice.confidence in _UNSURE:
        return False
    if advice.verdict is Verdict.HOLDS_GIL:
        return True
    return advice.cost is not None and advice.cost.gain >= GAIN

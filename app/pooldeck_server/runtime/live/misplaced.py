"""The functions that would do better in another pool, as a notice.

What is advised changes slowly and takes a while to work out, and frames are built a few times a
second: so it is looked at only now and then.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.advice import Advice
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.notices import Need, Notice

_SECONDS: Final = 10.0  # between two looks
_WORTH_A_NOTICE: Final = 1.5  # times as fast: what gains less stands in the list alone
_SURE: Final = frozenset({"medium", "high"})


@dataclass(kw_only=True, eq=False)
class MisplacedFunctions:
    """Knows which functions would do better elsewhere, as of a few seconds ago."""

    clock: Clock
    advised: Callable[[], Sequence[Advice]]  # gives the advice on those functions
    _notices: tuple[Notice, ...] = field(init=False, default_factory=lambda: ())

    def __post_init__(self) -> None:
        self._looked_at = -math.inf

    def notices(self) -> tuple[Notice, ...]:
        """Return what is to be said of them above every page: nothing, or one notice."""
        now = self.clock.monotonic()
        if now - self._looked_at >= _SECONDS:
            self._notices = tuple(of_advice(self.advised()))
            self._looked_at = now
        return self._notices


def of_advice(misplaced: Sequence[Advice]) -> Iterator[Notice]:
    """Yield one notice for all functions of which it is sure that a move would gain much."""
    gains = [(gain, advice) for advice in misplaced if (gain := _gain(advice)) >= _WORTH_A_NOTICE]
    if not gains:
        return
    most, advice = max(gains, key=lambda each: each[0])
    if len(gains) > 1 or advice.recommended is None:
        yield Notice(Need.MISPLACED, number=len(gains), gain=most)
    else:
        yield Notice(
            Need.MISPLACED,
            advice.pool,
            function=advice.function,
            target=advice.recommended.pool,
            gain=most,
            risks=len(advice.risks_there or ()),
        )


def _gain(advice: Advice) -> float:
    """Return how many times as fast it would be elsewhere, 0 where that is not certain enough."""
    if advice.cost is None or advice.confidence not in _SURE:
        return 0.0
    return advice.cost.gain

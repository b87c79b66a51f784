"""What the calls of a while amount to: throughput without the error that its edges make.

A call that lies across an edge counts by the share of it that lies inside. Counting ends instead
would be off by up to one call per slot, since calls of equal length that began together end
together.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

SLICES: Final = 8
"""Parts of a while whose median counts: a hiccup of the machine spoils one of them, not all."""

_MEDIAN_TO_MEAN: Final = math.sqrt(math.pi / 2)  # the standard error of a median over a mean's
_MAD_TO_SIGMA: Final = 1.4826  # for the normal distribution


class Ended(Struct, frozen=True, gc=False):
    """A call that succeeded: when it had a slot, from then to then, on the monotonic clock."""

    began: float
    ended: float


def slices(calls: Iterable[Ended], begin: float, end: float) -> tuple[float, ...]:
    """Return the calls a second in each of equal parts of the while from `begin` to `end`."""
    width = (end - begin) / SLICES
    work = [0.0] * SLICES
    for call in calls:
        length = max(call.ended - call.began, 1e-9)
        first = max(0, int((call.began - begin) / width)) if call.began > begin else 0
        last = min(SLICES - 1, int((call.ended - begin) / width))
        for place in range(first, last + 1):
            low = max(call.began, begin + place * width)
            high = min(call.ended, begin + (place + 1) * width)
            work[place] += max(0.0, high - low) / length
    return tuple(each / width for each in work)


def median_and_noise(throughputs: Sequence[float]) -> tuple[float, float]:
    """Return the median, and its standard error as a share of it (1 where it is 0).

    The error is estimated by the median absolute deviation, which a hiccup does not blow up.
    """
    middle = statistics.median(throughputs)
    if middle <= 0:
        return 0.0, 1.0
    deviation = statistics.median(abs(each - middle) for each in throughputs)
    error = _MEDIAN_TO_MEAN * _MAD_TO_SIGMA * deviation / math.sqrt(len(throughputs))
    return middle, error / middle


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many percent of all are not above (nearest rank); 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]

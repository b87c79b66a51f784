"""Histograms of durations that stay small, and are added up like the numbers that they are.

Each bucket reaches from one power of 2 ** (1/4) seconds to the next, so that its middle is within
`ERROR` of every duration in it, whatever its size. A histogram is one large integer with 32 bits
for the count of each bucket: the sum of histograms is the sum of the integers. (With 30 of them for
each of 360 points of a chart, adding up bucket by bucket took 50 ms, and this takes 15.)

As text it is the place of its first bucket and the hexadecimal digits from there on. Texts joined
by commas, as SQL joins them, are the text of the sum.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from struct import unpack
from typing import Final, TypeAlias

Histogram: TypeAlias = int

ERROR: Final = 0.091
"""How far a percentile may be from the exact one, as a share of it: 2 ** (1/8) - 1, rounded up."""

SHORTEST: Final = 2.0**-20
"""Seconds, about a millionth; shorter durations count as this one."""

LONGEST: Final = 2.0**20
"""Seconds, about twelve days; longer durations count as this one."""

_PER_DOUBLING: Final = 4
_ZERO: Final = 20 * _PER_DOUBLING  # the bucket that begins at one second
_LAST: Final = 2 * _ZERO - 1
_BITS: Final = 32
_log2 = math.log2


def bucket_of(seconds: float) -> int:
    if seconds <= SHORTEST:
        return 0
    if seconds >= LONGEST:
        return _LAST
    return int(_PER_DOUBLING * _log2(seconds) + _ZERO)


def packed(counts: Mapping[int, int]) -> Histogram:
    """Return the histogram in which so many durations fell into each bucket."""
    return sum(number << _BITS * bucket for bucket, number in counts.items())


def percentile(histogram: Histogram, share: float) -> float | None:
    """Return the nearest-rank percentile in seconds, to within `ERROR`; None where it is empty.

    `share` says which, from 0 (exclusive) to 1.
    """
    return percentiles(histogram, (share,))[0]


def percentiles(histogram: Histogram, shares: Sequence[float]) -> tuple[float | None, ...]:
    """Return several percentiles, as `percentile` does one."""
    if not histogram:
        return (None,) * len(shares)
    first = _first(histogram)
    sums = list(accumulate(_numbers(histogram >> _BITS * first)))
    buckets = (first + bisect_left(sums, math.ceil(share * sums[-1])) for share in shares)
    return tuple(float(2 ** ((bucket + 0.5 - _ZERO) / _PER_DOUBLING)) for bucket in buckets)


def counts_in(histogram: Histogram) -> list[tuple[int, int]]:
    """Return the buckets that are not empty, in their order, with how many durations each has."""
    if not histogram:
        return []
    first = _first(histogram)
    numbers = _numbers(histogram >> _BITS * first)
    return [(first + place, number) for place, number in enumerate(numbers) if number]


def lower_bound(bucket: int) -> float:
    """Return where a bucket begins, in seconds."""
    return float(2 ** ((bucket - _ZERO) / _PER_DOUBLING))


def to_text(histogram: Histogram) -> str:
    """Return a histogram as text, empty for an empty one."""
    if not histogram:
        return ""
    first = _first(histogram)
    return f"{first}:{histogram >> _BITS * first:x}"


def from_text(text: str) -> Histogram:
    """Return the histogram that a text means, the sum of several that commas join."""
    return sum(map(_one, text.split(",")))


def joined(texts: Iterable[str]) -> str:
    """Return the text of the sum of histograms, as long as they are together."""
    return ",".join(filter(None, texts))


def _numbers(histogram: Histogram) -> tuple[int, ...]:
    """Return how many durations each bucket has, from the first on."""
    buckets = -(-histogram.bit_length() // _BITS)
    return unpack(f"<{buckets}I", histogram.to_bytes(4 * buckets, "little"))


def _first(histogram: Histogram) -> int:
    return ((histogram & -histogram).bit_length() - 1) // _BITS


def _one(text: str) -> Histogram:
    first, _, digits = text.partition(":")
    return int(digits, 16) << _BITS * int(first) if digits else 0

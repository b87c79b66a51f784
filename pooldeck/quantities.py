"""What the numbers in a worker's reports may be: whatever else comes is refused where it arrives.

A worker runs the user's code, which can write to its pipe and replace what it reads time from. What
got through would stand in the store, and in every figure made of it. NaN is in no range.
"""

from typing import Annotated, Final

from msgspec import Meta

MOST_SECONDS: Final = 1e10
"""Some 300 years."""

Seconds = Annotated[float, Meta(ge=0.0, le=MOST_SECONDS)]
"""A duration, or a sum of durations."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]

Count = Annotated[int, Meta(ge=0, le=2**48)]
"""A number of things or bytes; many can be added up in 64 bits."""

Average = Annotated[float, Meta(ge=0.0, le=2.0**48)]
"""A mean number of things."""

Moment = Annotated[float, Meta(ge=-1e300, le=1e300)]
"""A moment of a clock that the user's code may have set, in seconds; `pools.clocks` judges it."""

Handle = Annotated[int, Meta(ge=0)]
"""What the system calls a thread."""


def elapsed(before: float, after: float) -> float:
    """Return the seconds between two readings of a clock, whatever the user's code made of it."""
    seconds = after - before
    if 0.0 <= seconds <= MOST_SECONDS:  # nearly always, and a worker asks for each call
        return seconds
    return min(max(0.0, seconds), MOST_SECONDS)

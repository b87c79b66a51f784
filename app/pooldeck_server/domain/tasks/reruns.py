"""When the server runs a task again by itself."""

from typing import Final

from pooldeck.functions import RunOptions
from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.clock import SECOND

CRASH_RERUNS: Final = 3
"""Reruns after crashes of an idempotent task whose `retries` allows fewer."""

LONGEST_PAUSE: Final = 600.0
"""Seconds; a backoff that has doubled past it stays there."""

_MOST_DOUBLINGS: Final = 64  # enough to pass the longest pause, few enough for a float
_FAILED = frozenset({ErrorKind.EXCEPTION, ErrorKind.TIMEOUT})
_CUT_OFF = frozenset(
    {ErrorKind.CRASHED, ErrorKind.BYSTANDER, ErrorKind.INTERRUPTED, ErrorKind.HOST_LOST}
)


def rerun_at(
    options: RunOptions, reruns: int, kind: ErrorKind, now: int, jitter: float
) -> int | None:
    """Return when a task whose attempt ended with an error is run again.

    Args:
        options: The task's options.
        reruns: How often it has been run again since its submission or the last retry by hand.
        kind: Why the attempt ended.
        now: Microseconds since the epoch.
        jitter: A random part of the pause to take, from 0.5 to 1.0, so that what failed together
            does not come back together.

    Returns:
        Microseconds since the epoch, `now` where it need not pause; None if it is not run again.
    """
    if kind in _FAILED and reruns < options.retries:
        return now + round(SECOND * _pause(options.backoff, reruns, jitter))
    if kind in _CUT_OFF and options.idempotent and reruns < most_reruns(options):
        return now
    return None


def most_reruns(options: RunOptions) -> int:
    """Return how often a task may be run again, whatever the reason."""
    return max(options.retries, CRASH_RERUNS) if options.idempotent else options.retries


def _pause(backoff: float, reruns: int, jitter: float) -> float:
    """Return the seconds before the next rerun: doubled with each, up to the longest."""
    return min(LONGEST_PAUSE, backoff * 2.0 ** min(reruns, _MOST_DOUBLINGS) * jitter)

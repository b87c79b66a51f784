"""The theory of queues, as far as the size of a pool needs it: offered load, waits, capacity."""

import math
from typing import Final

from pooldeck_server.domain.pools.loads import LoadWindow, PoolLoad

_ENOUGH: Final = 60
"""Seconds of a window, from which on its load is not just a moment's."""


def offered_load(load: PoolLoad, run: float) -> float:
    """Return how many slots the load keeps busy in its busiest window.

    Little's law, L = λW: with `run` seconds for each task, the slots that are busy in the mean are
    those seconds times the tasks that come in a second. What waits from before counts as if it
    came, so that a pool is large enough to get through with it within one window.
    """
    return max(map(_arrivals, _long_enough(load)), default=0.0) * run


def mean_wait(offered: float, servers: int, run: float) -> float | None:
    """Return how long a task waits for a slot, in seconds; None where there is too much to do.

    Erlang's C formula, for tasks that come independently of each other (M/M/n): L. Kleinrock,
    "Queueing Systems", volume 1, section 3.5. Tasks that come in bursts wait longer. `offered` is
    how many of the `servers` the load keeps busy, `run` the mean seconds that a task takes.
    """
    if offered >= servers:
        return None
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    waits = blocked / (1 - offered / servers * (1 - blocked))
    return waits * run / (servers - offered)


def rounded(size: float) -> int:
    """Return a number of slots as a whole number, at least 1; halves go up."""
    return max(1, math.floor(size + 0.5))


def _arrivals(window: LoadWindow) -> float:
    came = sum(passed.submitted for passed in window.passed)
    worked_off = sum(passed.ran for passed in window.passed)
    return max(came, worked_off + window.queued) / window.seconds


def _long_enough(load: PoolLoad) -> list[LoadWindow]:
    """Return the windows that say something: of a moment only where there is nothing longer."""
    longest = max((window.seconds for window in load.windows), default=0)
    return [window for window in load.windows if window.seconds >= min(_ENOUGH, longest)]

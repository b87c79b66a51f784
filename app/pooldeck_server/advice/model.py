"""How many runs a second a pool can get through: the least of what limits it.

Of one run, with `alone` seconds from its start to its end where nothing disturbs it, `gil` seconds
of CPU time that need the GIL, and `cpu` seconds of CPU time in all:

- a pool of n threads is in one process: n / alone for its slots, or less where it was seen that
  fewer get on at a time for the memory that they share, 1 / gil for its one GIL, and cpus / cpu
  for the machine;
- a pool of n processes has n GILs: n / alone, which is less than n / gil, and cpus / cpu.

These are the asymptotic bounds of operational analysis (Denning and Buzen, "The Operational
Analysis of Queueing Network Models", 1978); under load, throughput comes close to the least.
"""

import math
from typing import Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice.values import Numbers

HANDOVER: Final = 0.00025
"""Seconds that the server and a pipe take for a call and its outcome, measured by `make bench`."""


def rate(numbers: Numbers, kind: PoolKind, size: int, cpus: int) -> float:
    """Return how many runs a second a pool of `size` slots can get through on so many CPUs.

    CPU time of which nobody knows counts as held.
    """
    around = numbers.handover
    held = numbers.cpu if numbers.gil is None else numbers.gil
    get_on = size if KINDS[kind].is_alone else min(size, numbers.threads_that_get_on)
    limits = [
        1.0 / HANDOVER,
        _over(get_on, numbers.alone + around),
        _over(cpus, numbers.all_cpu + around),
        _over(KINDS[kind].gils(size), held + around),
    ]
    return min(limits)


def _over(number: float, seconds: float) -> float:
    return number / seconds if seconds > 0 else math.inf

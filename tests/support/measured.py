"""Functions of known nature, and what a worker would measure of them: alone and in company.

In company, calls of the same function share one GIL and two CPUs. Whichever of these is asked for
most is what all of them wait for, and stretches each run; what a run does by itself stays the same.
"""

from collections.abc import Sequence

from msgspec import Struct

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.advice import PoolShape
from pooldeck_server.domain.measurements.profiles import Profile

CPUS = 2
LOOKS = 20  # at each run
POOLS = (PoolShape("io", PoolKind.THREAD, 8), PoolShape("cpu", PoolKind.PROCESS, 2))
NOW = 1_700_000_000_000_000


class Nature(Struct, frozen=True):
    """What one run does, in seconds: `gil` and `free` are CPU time with and without the GIL."""

    gil: float = 0.0
    free: float = 0.0
    waiting: float = 0.0
    child: float = 0.0

    @property
    def cpu(self) -> float:
        return self.gil + self.free

    @property
    def alone(self) -> float:
        return self.cpu + self.waiting

    def run(self, beside: int) -> float:
        """Return the wall time with so many others beside it."""
        calls = beside + 1
        return max(self.alone, calls * self.gil, calls * self.cpu / CPUS)

    def delayed(self, beside: int) -> float:
        """Return for how long of that no CPU was free."""
        stretch = self.run(beside) - self.alone
        return stretch * self.free / self.cpu if self.cpu else 0.0

    def voluntary(self, beside: int) -> int:
        """Return how often it waits: for itself, for the probe that looks at it, for the others."""
        looks = round(LOOKS * self.gil / self.alone) if self.alone else 0
        return bool(self.waiting) + looks + (beside if self.gil else 0)

    def measurement(self, beside: int = 0) -> Measurement:
        """Return what the worker reports of a run."""
        return Measurement(
            run=self.run(beside),
            cpu=self.cpu,
            child_cpu=self.child,
            voluntary_switches=self.voluntary(beside),
            involuntary_switches=0,
            beside=beside,
            delayed=self.delayed(beside),
            overlap=self.run(beside) * beside / (beside + 1),
        )

    def observation(self, runs: int, beside: int = 0) -> Observation:
        """Return what its probe reports of so many runs, which it looked at equally often."""
        stretch = self.run(beside) - self.alone
        delayed = self.delayed(beside)
        free = self.free * (1 + delayed / self.cpu) if self.cpu else 0.0  # as delayed as the rest
        return Observation(
            function="f",
            looks=LOOKS * runs,
            held=runs * (self.cpu + stretch - free),
            free=runs * free,
            waiting=runs * self.waiting,
            delayed=runs * delayed,
            beside=beside,
        )


def profile(
    nature: Nature,
    *,
    runs: int = 20,
    beside: int = 0,
    is_seen: bool = True,
    kind: PoolKind = PoolKind.THREAD,
    now: int = NOW,
) -> Profile:
    """Return the profile after some runs, with the probe or without it."""
    seen = [nature.observation(runs, beside)] if is_seen else []
    return after(Profile("f", kind), [nature.measurement(beside)] * runs, seen, now)


def after(
    before: Profile,
    measured: Sequence[Measurement],
    seen: Sequence[Observation] = (),
    now: int = NOW,
) -> Profile:
    """Return a profile after more runs."""
    return before.after(measured, seen, runs=len(measured), now=now)

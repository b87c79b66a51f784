"""Sums over the runs of a function, and over looks at them: what its profile is made of."""

from collections.abc import Iterable, Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import astuple

from pooldeck.outcome import Measurement, Observation


class Sums(Struct, frozen=True, omit_defaults=True):
    """Sums over runs, and over looks at them; times are in seconds."""

    runs: float = 0.0  # how many; not a whole number any more once some are half forgotten
    run: float = 0.0  # wall time
    squares: float = 0.0  # of the wall times
    cpu: float = 0.0  # CPU time of the calls' own threads
    child_cpu: float = 0.0  # CPU time of child processes that they waited for
    child_delayed: float = 0.0  # time in which those were ready and no CPU was free
    helper_cpu: float = 0.0  # CPU time of other threads that worked for them
    system_cpu: float = 0.0  # CPU time, of `cpu`, in system calls
    decode: float = 0.0  # time that it took to read the arguments
    encode: float = 0.0  # time that it took to write the results
    arguments_bytes: float = 0.0  # size of the arguments
    result_bytes: float = 0.0  # size of the results
    voluntary: float = 0.0  # context switches because the thread waited
    involuntary: float = 0.0  # context switches because another thread had its turn
    grown: float = 0.0  # runs of which it is known by how much the memory of their process grew
    growth_bytes: float = 0.0  # by how much it grew in these
    throttled: float = 0.0  # how often their target throttled them
    throttled_seconds: float = 0.0  # for how long, in all
    # time in which the threads were ready and no CPU was free, where that was measured
    delayed: float = 0.0
    # wall time less CPU time and delay, of the runs whose thread gave up its CPU at all
    idle: float = 0.0
    # the same, each run counted as the least idle one of those noted with it
    least_idle: float = 0.0
    beside: float = 0.0  # other calls in the process
    page_faults: float = 0.0  # pages of memory that the kernel had to give them
    # wall time for which others of them stand: without it, `run` is for how long any of them ran
    overlap: float = 0.0
    looks: float = 0.0  # looks of the probe
    held: float = 0.0  # time in which the threads held the GIL or wanted it
    free: float = 0.0  # time in which they ran, or were ready to, without the GIL
    waiting: float = 0.0  # time in which they waited for something else
    # time, of `held` and `free`, in which they were ready and no CPU was free
    seen_delayed: float = 0.0
    # CPU time of other threads that worked for them, as far as looks tell
    seen_helper_cpu: float = 0.0
    # time, of `waiting`, in which those were ready and no CPU was free
    seen_helper_delayed: float = 0.0
    # time in which those were ready, with a CPU or without, added up
    seen_helper_ready: float = 0.0
    # CPU time of such threads that may have worked for runs of other functions
    seen_unclaimed_cpu: float = 0.0

    @classmethod
    def of_runs(cls, measured: Sequence[Measurement]) -> Self:
        """Return the sums over runs; none of looks."""
        if not measured:
            return cls()
        idle = [_idle(one) for one in measured]
        growth = [one.rss_growth_bytes for one in measured if one.rss_growth_bytes is not None]
        return cls(
            **{name: sum(getattr(one, name) or 0.0 for one in measured) for name in _SAME},
            runs=len(measured),
            squares=sum(one.run * one.run for one in measured),
            voluntary=sum(one.voluntary_switches or 0 for one in measured),
            involuntary=sum(one.involuntary_switches or 0 for one in measured),
            grown=len(growth),
            growth_bytes=sum(growth),
            idle=sum(idle),
            least_idle=min(idle) * len(idle),
        )

    @classmethod
    def of_looks(cls, observations: Iterable[Observation]) -> Self:
        """Return the sums over looks; none of runs."""
        sums = cls()
        for one in observations:
            sums = sums.plus(
                cls(
                    looks=one.looks,
                    held=one.held,
                    free=one.free,
                    waiting=one.waiting,
                    seen_delayed=one.delayed,
                    seen_helper_cpu=one.helper_cpu,
                    seen_helper_delayed=one.helper_delayed,
                    seen_helper_ready=one.helper_ready,
                    seen_unclaimed_cpu=one.unclaimed_cpu,
                )
            )
        return sums

    def plus(self, other: Self, weight: float = 1.0) -> Self:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return type(self)(*(mine * weight + its for mine, its in pairs))

    def per_run(self, amount: float) -> float:
        return amount / self.runs if self.runs else 0.0


_SAME = frozenset(Sums.__struct_fields__).intersection(Measurement.__struct_fields__)
"""What is summed up as it was measured."""


def _idle(one: Measurement) -> float:
    """Return how long a run neither computed nor was ready to.

    That is 0 where its thread never gave up its CPU by itself.
    """
    if one.voluntary_switches == 0:
        return 0.0
    return max(0.0, one.run - one.cpu - (one.delayed or 0.0))

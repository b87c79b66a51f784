"""Sums over the runs of a function, and over looks at them: what its profile is made of."""

from collections.abc import Iterable, Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import astuple

from pooldeck.outcome import Measurement, Observation


class Sums(Struct, frozen=True, omit_defaults=True):
    """Sums over runs, and over looks at them; times are in seconds.

    Attributes:
        runs: How many; not a whole number any more once some are half forgotten.
        run: Wall time.
        squares: Of the wall times.
        cpu: CPU time of the calls' own threads.
        child_cpu: CPU time of child processes that they waited for.
        child_delayed: Time in which those were ready and no CPU was free.
        helper_cpu: CPU time of other threads that worked for them.
        system_cpu: CPU time, of `cpu`, in system calls.
        decode: Time that it took to read the arguments.
        encode: Time that it took to write the results.
        arguments_bytes: Size of the arguments.
        result_bytes: Size of the results.
        voluntary: Context switches because the thread waited.
        involuntary: Context switches because another thread had its turn.
        grown: Runs of which it is known by how much the memory of their process grew.
        growth_bytes: By how much it grew in these.
        throttled: How often their target throttled them.
        throttled_seconds: For how long, in all.
        delayed: Time in which the threads were ready and no CPU was free, where that was measured.
        idle: Wall time less CPU time and delay, of the runs whose thread gave up its CPU at all.
        least_idle: The same, each run counted as the least idle one of those noted with it.
        beside: Other calls in the process.
        looks: Looks of the probe.
        held: Time in which the threads held the GIL or wanted it.
        free: Time in which they ran, or were ready to, without the GIL.
        waiting: Time in which they waited for something else.
        seen_delayed: Time, of `held` and `free`, in which they were ready and no CPU was free.
        seen_helper_cpu: CPU time of other threads that worked for them, as far as looks tell.
        seen_helper_delayed: Time, of `waiting`, in which those were ready and no CPU was free.
    """

    runs: float = 0.0
    run: float = 0.0
    squares: float = 0.0
    cpu: float = 0.0
    child_cpu: float = 0.0
    child_delayed: float = 0.0
    helper_cpu: float = 0.0
    system_cpu: float = 0.0
    decode: float = 0.0
    encode: float = 0.0
    arguments_bytes: float = 0.0
    result_bytes: float = 0.0
    voluntary: float = 0.0
    involuntary: float = 0.0
    grown: float = 0.0
    growth_bytes: float = 0.0
    throttled: float = 0.0
    throttled_seconds: float = 0.0
    delayed: float = 0.0
    idle: float = 0.0
    least_idle: float = 0.0
    beside: float = 0.0
    looks: float = 0.0
    held: float = 0.0
    free: float = 0.0
    waiting: float = 0.0
    seen_delayed: float = 0.0
    seen_helper_cpu: float = 0.0
    seen_helper_delayed: float = 0.0

    @classmethod
    def of_runs(cls, measured: Sequence[Measurement]) -> Self:
        """Return the sums over runs; none of looks."""
        if not measured:
            return cls()
        idle = [_idle(one) for one in measured]
        growth = [one.rss_growth_bytes for one in measured if one.rss_growth_bytes is not None]
        return cls(
            runs=len(measured),
            run=sum(one.run for one in measured),
            squares=sum(one.run * one.run for one in measured),
            cpu=sum(one.cpu for one in measured),
            child_cpu=sum(one.child_cpu for one in measured),
            child_delayed=sum(one.child_delayed for one in measured),
            helper_cpu=sum(one.helper_cpu for one in measured),
            system_cpu=sum(one.system_cpu for one in measured),
            decode=sum(one.decode for one in measured),
            encode=sum(one.encode for one in measured),
            arguments_bytes=sum(one.arguments_bytes for one in measured),
            result_bytes=sum(one.result_bytes for one in measured),
            voluntary=sum(one.voluntary_switches or 0 for one in measured),
            involuntary=sum(one.involuntary_switches or 0 for one in measured),
            grown=len(growth),
            growth_bytes=sum(growth),
            throttled=sum(one.throttled for one in measured),
            throttled_seconds=sum(one.throttled_seconds for one in measured),
            delayed=sum(one.delayed or 0.0 for one in measured),
            idle=sum(idle),
            least_idle=min(idle) * len(idle),
            beside=sum(one.beside for one in measured),
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
                )
            )
        return sums

    def plus(self, other: Self, weight: float = 1.0) -> Self:
        """Return these sums, weighted, and `other` together."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return type(self)(*(mine * weight + its for mine, its in pairs))

    def per_run(self, amount: float) -> float:
        """Return one of the sums as the mean of a run; 0 where there was none."""
        return amount / self.runs if self.runs else 0.0


def _idle(one: Measurement) -> float:
    """Return how long a run neither computed nor was ready to.

    That is 0 where its thread never gave up its CPU by itself.
    """
    if one.voluntary_switches == 0:
        return 0.0
    return max(0.0, one.run - one.cpu - (one.delayed or 0.0))

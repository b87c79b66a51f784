"""What an advice consists of. Durations are in seconds."""

import math
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk, risks_in

LEAST_GROWTH: Final = 64 * 1024
"""Bytes a run, in the mean, from which on it counts as growth: less is what any run does."""

_MANY_FAULTS: Final = 40_000.0  # page faults for each second of CPU time

Confidence: TypeAlias = Literal["none", "low", "medium", "high"]


class Verdict(StrEnum):
    """What kind of function it is."""

    HOLDS_GIL = "cpu_holding_gil"
    RELEASES_GIL = "cpu_releasing_gil"
    IO_BOUND = "io_bound"
    MIXED = "mixed"
    TOO_CHEAP = "too_cheap"
    UNKNOWN = "unknown"


class AdviceRule(StrEnum):
    """Why a verdict is what it is, and with it which kind of pool is recommended."""

    NEVER_RAN = "never_ran"
    FEW_RUNS = "few_runs"
    BLURRED = "only_in_company"  # it was idle, but perhaps because of others
    HANDOVER = "handover_costs_more"  # than the run itself
    GIL_HELD = "gil_held"  # it computes, and nobody beside it can
    GIL_ASSUMED = "gil_assumed"  # it computes too briefly to be seen; most code holds the GIL
    GIL_RELEASED = "gil_released"  # it computes outside of the interpreter
    CHILDREN = "children_compute"  # child processes or helper threads do it
    WAITS = "waits"
    MEMORY_LIMITS = "memory_limits"  # it needs no GIL, but its threads wait for memory in turns
    GIL_LIMITS = "gil_limits"  # it holds the GIL for little, yet too much for so many CPUs
    PROCESSES_FASTER = "processes_faster"  # it computes and waits: the model decides
    THREADS_ENOUGH = "threads_enough"


class PoolShape(Struct, frozen=True):
    """A pool as far as advice is concerned.

    `worker_limit` is how many bytes a worker may hold before it is replaced, 0 for any number.
    """

    name: str
    kind: PoolKind
    size: int
    worker_limit: int = 0


class Recommendation(Struct, frozen=True):
    """The kind of pool that suits a function, and the pool; None where there is none of it."""

    kind: PoolKind
    pool: str | None


class RunCostNumbers(Struct, frozen=True):
    """How long a number of calls keeps the present pool busy, and the recommended one."""

    calls: int
    present_seconds: float
    recommended_seconds: float

    @property
    def gain(self) -> float:
        """Return how many times as many calls the recommended pool gets through."""
        return self.present_seconds / self.recommended_seconds


class Numbers(Struct, frozen=True):
    """One run in the mean: `wall` as it was, the others with what it met beside it taken out."""

    runs: float  # how many runs are remembered; older ones count less
    runs_ever: int  # how many there were
    looks: float  # how often running calls were looked at
    looks_at_work: float  # how many of these found them computing
    observed_seconds: float  # wall time of the remembered runs together
    is_blurred: bool  # whether it ran only beside others, and nobody can know what it waited for
    wall: float  # wall time
    cpu: float  # CPU time of its own thread
    waiting: float  # time for which it waits for anything but the GIL or a CPU
    gil: float | None  # CPU time for which it needs the GIL; None if that was not seen
    child_cpu: float  # CPU time of child processes
    helper_cpu: float  # CPU time of other threads that work for it
    decode: float  # time to read its arguments
    encode: float  # time to write its result
    arguments_bytes: float  # size of its arguments
    result_bytes: float  # size of its result
    voluntary_switches: float  # context switches because it waited
    involuntary_switches: float  # context switches because another had its turn
    memory_growth_bytes: float | None  # by how much its process grew; None if that is not known
    spread: float  # standard deviation of the wall time, as a share of its mean
    trend: float  # the latest wall times as a share of the earlier ones
    beside: float  # other calls in its process
    throttled: float  # how often its target throttled it
    throttled_seconds: float  # for how long
    page_faults: float = 0.0  # pages of memory that the system had to give it
    at_a_time: float = 0.0  # how many ran at a time in one process, of those that were not alone
    # for which share of their time these got on, and did not wait for one another; None if too few
    # ran side by side
    getting_on: float | None = None
    threads: float = 0.0  # on how many threads at a time it computes, or would with enough CPUs
    unclaimed_cpu: float = 0.0  # CPU time of other threads that may work for it, or for others
    # whether it was seen at work only beside others, and for want of a CPU that tells little
    is_crowded: bool = False
    is_disturbed: bool = False  # whether it was seen at work only beside calls of other functions

    @property
    def alone(self) -> float:
        """Return how long a run takes where nothing runs beside it."""
        return self.cpu + self.waiting

    @property
    def helped_cpu(self) -> float:
        return self.child_cpu + self.helper_cpu

    @property
    def all_cpu(self) -> float:
        """Return the CPU time of a run, with that of its children and helpers."""
        return self.cpu + self.helped_cpu

    @property
    def handover(self) -> float:
        """Return how long its arguments and its result take to be read and written."""
        return self.decode + self.encode

    @property
    def computing(self) -> float:
        """Return for how much of `alone` it computes, by itself or by children and helpers."""
        return self.cpu + min(self.helped_cpu, self.waiting)

    @property
    def cpu_share(self) -> float:
        return self.computing / self.alone if self.alone else 0.0

    @property
    def grows(self) -> bool:
        """Tell whether its runs leave their process larger than they found it, beyond noise."""
        return (self.memory_growth_bytes or 0.0) >= LEAST_GROWTH

    @property
    def asks_for_memory(self) -> bool:
        """Tell whether it computes on memory that the system has to give it first.

        All threads of a process share what the system keeps of its memory, and wait for one another
        to change it.
        """
        return self.page_faults > _MANY_FAULTS * self.all_cpu

    @property
    def threads_that_get_on(self) -> float:
        """Return how many of them get on at a time in one process, as far as its memory tells.

        That is infinity where nothing shows that they wait for one another.
        """
        if self.getting_on is None or not self.asks_for_memory:
            return math.inf
        return self.at_a_time * self.getting_on

    @property
    def gil_share(self) -> float | None:
        """Return which share of its CPU time needs the GIL; None if that was not seen."""
        if self.gil is None:
            return None
        return self.gil / self.all_cpu if self.all_cpu else 0.0


class Advice(Struct, frozen=True):
    """What measurements say of a function, and where it should run."""

    function: str
    pool: str  # where it runs now
    kind: PoolKind  # the kind of that pool
    verdict: Verdict  # what kind of function it is
    rule: AdviceRule  # why
    recommended: Recommendation | None  # where it should run; None if nothing can be said
    # whether a move would be a clear gain, for itself or for what runs beside it
    is_misplaced: bool
    confidence: Confidence  # how sure all this is
    numbers: Numbers  # what was measured
    # what calls cost here and there, as far as the model can tell; None as `recommended`
    cost: RunCostNumbers | None
    # how many bytes its pool lets a worker hold, where the better pool would have all calls share
    # one process, in which that adds up; 0: it would lose no such bound
    lost_limit: int = 0
    # what is seen in its code that its calls share; None where that could not be looked at
    risks: tuple[Risk, ...] | None = None

    @property
    def is_kept_by_memory(self) -> bool:
        """Tell whether it stays where it is because its runs grow, and that is bounded there."""
        return bool(self.lost_limit) and self.numbers.grows

    @property
    def better_kind(self) -> PoolKind:
        """Return the kind of pool that it should be in: the present one, unless it is misplaced."""
        return self.recommended.kind if self.is_misplaced and self.recommended else self.kind

    @property
    def risks_there(self) -> tuple[Risk, ...] | None:
        """Return those of its risks that concern it in that kind of pool."""
        return None if self.risks is None else risks_in(self.better_kind, self.risks)

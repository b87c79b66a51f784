"""How large a pool should be: the machine under it, its size, and what to make of that."""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.pools.loads import PoolLoad

LONG_RUN: Final = 60.0
"""Seconds from which on a run is more than a moment's load."""

SizeVerdict: TypeAlias = Literal["unknown", "fits", "larger", "smaller"]


class CpuPressure(Struct, frozen=True):
    """The share of time (0 to 1) in which something was ready to run and waited for a CPU.

    Over the last 10 s, 60 s and 5 min, as the kernel's pressure stall information has it.
    """

    avg10: float
    avg60: float
    avg300: float


class Machine(Struct, frozen=True):
    """The CPUs that the server's processes may use, and how much they are wanted.

    `cpus` is the smaller of `affinity` (the scheduler's mask) and `quota` (the cgroup's, in CPUs;
    None: there is none), rounded up. `load` is the mean number of tasks that run or want to, of the
    whole machine, over 1, 5 and 15 minutes. None where the platform does not tell.
    """

    cpus: int
    affinity: int
    quota: float | None = None
    pressure: CpuPressure | None = None
    load: tuple[float, float, float] | None = None


class SizeRule(StrEnum):
    """What decided about a size."""

    NOTHING_RAN = "nothing_ran"  # nothing was measured that it could be judged by
    ON_HOSTS = "on_hosts"  # its slots are on other machines, and these are not measured
    LOAD_FITS = "load_fits"  # the load needs no more, and the machine bears what there is
    LOAD_NEEDS_MORE = "load_needs_more"
    MACHINE_FULL = "machine_full"  # the load needs more, but the CPUs or the GIL give no more
    PRESSURE = "pressure"  # the load needs more, but tasks wait for a CPU as it is
    THROTTLED = "throttled"  # what its functions ask sends them away too often
    OVER_CPUS = "over_cpus"  # more processes than CPUs
    CROWDED = "crowded"  # more threads compute at the same time than the CPUs can run


class SizeOrigin(Struct, frozen=True):
    """Where a size comes from; `configured` is what the configuration gives."""

    source: Literal["default", "setting", "hand"]
    configured: int


class FunctionCost(Struct, frozen=True):
    """What one run in a pool takes in the mean with nothing beside it, in seconds.

    `alone` is the wall time, `cpu` all CPU time, `gil` the part of it that needs the GIL. `wall` is
    the wall time with all that it met, `beside` how many others ran in its process, and `throttled`
    the share of requests that were turned away by what the functions talk to. `threads` is on how
    many threads at a time it computes.
    """

    alone: float
    cpu: float
    gil: float
    wall: float = 0.0
    beside: float = 0.0
    throttled: float = 0.0
    threads: float = 0.0

    @property
    def waiting(self) -> float:
        return max(0.0, self.alone - self.cpu)

    @property
    def cpu_share(self) -> float:
        """Return the CPU time for each second of it; over 1 where several threads work for it."""
        return self.cpu / self.alone if self.alone else 0.0


class SizedPool(Struct, frozen=True):
    """A pool with what is known of its load; `cost` is None where nothing ran in it.

    `long_running` tasks have kept a slot for `LONG_RUN` seconds or more by now. What has not ended
    is in no figure of what went through the pool, and needs its slot all the same.
    """

    name: str
    kind: PoolKind
    size: int
    origin: SizeOrigin
    load: PoolLoad = PoolLoad()
    cost: FunctionCost | None = None
    long_running: int = 0
    is_on_hosts: bool = False

    @property
    def busy(self) -> float:
        """Return how many slots were busy on average.

        Looks a second apart can miss all of a load that comes in beats; then the runs tell, by
        Little's law.
        """
        if self.cost is None or not self.load.seconds:
            return self.load.busy
        ran = sum(self.load.ran.values())
        return max(self.load.busy, ran * self.cost.wall / self.load.seconds)

    @property
    def utilization(self) -> float | None:
        """Return the share of the slots that was busy, None before it was looked at."""
        return min(1.0, self.busy / self.load.slots) if self.load.slots else None


class Range(Struct, frozen=True):
    """The sizes that are right: `low` for the load, `high` for what machine and target bear."""

    low: int
    high: int


class Effect(Struct, frozen=True):
    """What a size would mean for the load.

    `capacity` is how many tasks a second it gets through, `utilization` the share of its slots that
    the load keeps busy, and `wait` the mean wait for a slot in seconds; None: the queue grows.
    """

    size: int
    capacity: float
    utilization: float
    wait: float | None


class SizeAdvice(Struct, frozen=True):
    """What to make of a pool's size."""

    pool: SizedPool
    machine: Machine  # what it runs on
    verdict: SizeVerdict  # whether another size would be better
    rule: SizeRule  # why
    computing: int  # how many of the slots of all pools together can compute at the same time
    right: Range | None = None  # the sizes that are right; None where nothing ran
    recommended: int | None = None  # the size to choose; None where it can stay
    # how many slots the busiest window kept busy (Little's law); None: nothing ran
    needed: float | None = None
    by_cpus: int | None = None  # the size at which its functions use up the CPUs; None: nothing ran
    # the size at which they use up the GIL of a thread pool; None: they do not
    by_gil: int | None = None
    # on how many threads at most each of its tasks should compute, so that together they fit the
    # CPUs; None: they do
    threads_per_task: int | None = None
    # how many at once the throttling target bears; None: it does not throttle
    by_target: int | None = None
    present: Effect | None = None  # what the present size means
    expected: Effect | None = None  # what the recommended size would mean

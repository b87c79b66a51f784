"""Experiments: one function tried in pools of several sizes and both kinds, and what was found.

Times are microseconds since the epoch, durations are seconds. All values are frozen: an experiment
that goes on is a copy that knows more.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from pooldeck.kinds import PoolKind

MAX_THREADS: Final = 200
"""Of a pool that is tried: more of them have never helped what fewer do not."""

MAX_PROCESSES: Final = 64
MAX_SIZES: Final = 20
MAX_SAMPLES: Final = 100
SHOWN_SAMPLES: Final = 3

Sizes: TypeAlias = Mapping[PoolKind, tuple[int, ...]]


class ExperimentState(StrEnum):
    """What has become of an experiment."""

    RUNNING = "running"
    FINISHED = "finished"  # everything was tried that was planned
    STOPPED = "stopped"  # by hand, or with the server; what was measured before is kept
    FAILED = "failed"  # nothing could be measured


class SampleCall(Struct, frozen=True):
    """Arguments that the function is tried with, as JSON texts: an array and an object."""

    args: str
    kwargs: str


class Plan(Struct, frozen=True):
    """What is to be tried. `seconds` and `warmup` are those of each step.

    `is_adaptive`: nobody named the sizes, so more are tried while that helps, and fewer where it
    has long stopped to.
    """

    sizes: Sizes
    seconds: float
    warmup: float
    is_adaptive: bool


class MeasuredSize(Struct, frozen=True):
    """What one size of one kind of pool did, always with as many calls in hand as it has slots.

    `throughput` (calls a second that succeeded) is the median of `slices`, parts of the time that
    was measured; `noise` is the standard error of that median as a share of it. `p50` and `p95` are
    how long calls kept their slots. `cpu` is CPU seconds per second, child processes included;
    `rss_bytes` the memory of all workers; `switches` the context switches a second. `busy` is how
    many tasks ran in the server's own pools meanwhile, on average, and `others` how many CPUs
    everything else on the machine took.
    """

    kind: PoolKind
    size: int
    calls: int
    throughput: float
    noise: float
    p50: float
    p95: float
    cpu: float
    rss_bytes: int
    switches: float
    errors: int
    seconds: float
    slices: tuple[float, ...] = ()
    busy: float = 0.0
    others: float = 0.0
    looks: int = 1  # how often it was measured


class Law(Struct, frozen=True):
    """The Universal Scalability Law: X(N) = rN / (1 + s(N - 1) + kN(N - 1)).

    N. J. Gunther, "A General Theory of Computational Scalability Based on Rational Functions",
    arXiv:0808.1431. `rate` is r (his lambda), the throughput of one; `contention` is s (sigma), the
    share that must be done one after the other; `coherency` is k (kappa), what keeping each pair in
    step costs. `r_squared` says how much of the differences between sizes the law explains.
    """

    rate: float
    contention: float
    coherency: float
    r_squared: float = 1.0

    def at(self, size: float) -> float:
        others = size - 1
        return self.rate * size / (1 + self.contention * others + self.coherency * size * others)

    @property
    def peak(self) -> float:
        """Return the size with the highest throughput; infinite where more always gives more."""
        if self.coherency <= 0:
            return math.inf
        return math.sqrt(max(0.0, 1 - self.contention) / self.coherency)


class Scaling(Struct, frozen=True):
    """How throughput goes with the size in pools of one kind.

    `knee` is the smallest size that was measured within 5 % of the best, `best` the best. The law
    is fitted to what was measured, None to fewer than three sizes; `law_knee` is its knee among the
    sizes from 1 to the largest that was tried.
    """

    kind: PoolKind
    knee: int
    knee_throughput: float
    best: int
    best_throughput: float
    law: Law | None = None
    law_knee: int | None = None


class BestSize(Struct, frozen=True):
    """Which pool is best for the function, as far as the experiment can tell.

    `gain` is its throughput over that of the other kind's knee, None where that was not measured.
    `is_close`: the kinds differ by less than what would justify a move.
    """

    kind: PoolKind
    size: int
    throughput: float
    gain: float | None
    is_close: bool


class Trouble(Struct, frozen=True):
    """Why a kind of pool was given up: at which size, and what happened, in words."""

    kind: PoolKind
    size: int
    words: str


class Now(Struct, frozen=True):
    """What is being tried; `done` of about `planned` steps are behind it."""

    kind: PoolKind
    size: int
    is_again: bool
    done: int
    planned: int


class StoredExperiment(Struct, frozen=True):
    """An experiment with all that is known of it.

    `samples` is how many different arguments the calls go through, `shown` the first few of them as
    people may see them, and `source` where they came from. `ended_by` says what stopped it.
    """

    id: str
    function: str
    state: ExperimentState
    created_at: int
    plan: Plan
    source: Literal["given", "latest"]
    samples: int
    shown: tuple[SampleCall, ...] = ()
    cpus: Annotated[int, Meta(ge=1)] = 1
    finished_at: int | None = None
    ended_by: Literal["person", "server", "limit"] | None = None
    now: Now | None = None
    steps: tuple[MeasuredSize, ...] = ()
    scalings: tuple[Scaling, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    choice: BestSize | None = None

    def of_kind(self, kind: PoolKind) -> tuple[MeasuredSize, ...]:
        steps = (step for step in self.steps if step.kind == kind)
        return tuple(sorted(steps, key=lambda step: step.size))

    def efficiency(self, step: MeasuredSize) -> float | None:
        """Return the throughput of a step's slots over that of the smallest pool of its kind.

        1 is perfect scaling; None where the smallest pool did nothing.
        """
        first = self.of_kind(step.kind)[0]
        alone = first.throughput / first.size
        return step.throughput / step.size / alone if alone else None

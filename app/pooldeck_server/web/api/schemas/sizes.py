"""Advice on the sizes of pools as the API shows it."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.pools.sizes import (
    CpuPressure,
    Effect,
    Range,
    SizeAdvice,
    SizeOrigin,
    SizeRule,
    SizeVerdict,
)
from pooldeck_server.web.api.schemas.types import Seconds, shown
from pooldeck_server.web.text.i18n import in_english
from pooldeck_server.web.text.sizes import size_sentences

_Share = Annotated[float, Meta(description="Between 0 and 1.")]
_PerSecond = Annotated[float, Meta(description="Per second.")]


class LoadEvidence(Struct, frozen=True):
    """The pool in the last hour, as far as a server ran: `seconds` of it.

    `busy` is the mean number of busy slots, `needed` how many its busiest five minutes kept busy,
    by Little's law with runs that nothing slows down; null where nothing ran.
    """

    seconds: Seconds
    submitted: int
    ran: int
    busy: float
    utilization: _Share | None
    oldest_wait: Seconds
    voluntary_switches: _PerSecond
    involuntary_switches: _PerSecond
    needed: float | None


class RunCost(Struct, frozen=True):
    """One run in the mean of what ran in the pool, with nothing beside it.

    `gil` is the CPU time that needs the GIL, `throttled` the share of requests that were turned
    away by what the functions talk to. `threads` is on how many threads at a time it computes.
    """

    alone: Seconds
    cpu: Seconds
    waiting: Seconds
    gil: Seconds
    cpu_share: float
    throttled: _Share
    threads: float


class Host(Struct, frozen=True):
    """The machine: `computing_slots` of all pools can compute at once on its `cpus`.

    `cpus` is the smaller of `affinity` and the cgroup's `quota`. `pressure` is the share of time in
    which something waited for a CPU, null where the kernel does not tell; `load` the load average.
    """

    cpus: int
    affinity: int
    quota: float | None
    pressure: CpuPressure | None
    load: tuple[float, float, float] | None
    computing_slots: int


class Bounds(Struct, frozen=True):
    """What bounds the size from above; null: that does not.

    `by_cpus` is CPUs * (1 + waiting / computing), `by_gil` the number of threads that use up their
    GIL, `by_target` how many at once a throttling target bears.
    """

    by_cpus: int | None
    by_gil: int | None
    by_target: int | None


class PoolAdvice(Struct, frozen=True):
    """How large a pool should be: what was found out, and what to make of it.

    `right` are the sizes that are right, `low` for the load and `high` for the machine; null where
    nothing ran. `recommended` is null where the size can stay. `present` and `expected` say what
    the present and the recommended size mean for the load; a `wait` is null where a queue grows.
    `threads_per_task` is on how many threads each of its tasks should compute at most, null where
    they fit the CPUs.
    """

    pool: str
    kind: Annotated[str, Meta(extra_json_schema={"enum": [*PoolKind]})]
    size: int
    origin: SizeOrigin
    verdict: SizeVerdict
    rule: SizeRule
    recommended: int | None
    threads_per_task: int | None
    right: Range | None
    sentences: list[str]
    load: LoadEvidence
    run: RunCost | None
    bounds: Bounds
    machine: Host
    present: Effect | None
    expected: Effect | None

    @classmethod
    def of(cls, advice: SizeAdvice) -> Self:
        pool, load = advice.pool, advice.pool.load
        voluntary, involuntary = load.switches
        return shown(
            cls,
            advice,
            pool=pool.name,
            kind=pool.kind,
            size=pool.size,
            origin=pool.origin,
            sentences=in_english(size_sentences, advice),
            load=shown(
                LoadEvidence,
                load,
                ran=sum(load.ran.values()),
                busy=pool.busy,
                utilization=pool.utilization,
                voluntary_switches=voluntary,
                involuntary_switches=involuntary,
                needed=advice.needed,
            ),
            run=pool.cost,
            bounds=advice,
            machine=shown(Host, advice.machine, computing_slots=advice.computing),
        )

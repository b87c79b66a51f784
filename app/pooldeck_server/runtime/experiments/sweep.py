"""Goes through the sizes of an experiment, one after the other, and concludes from the findings."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final, TypeAlias

from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.advice.scaling import scaling
from pooldeck_server.advice.sweeping import choose, doubtful, next_size
from pooldeck_server.domain.measurements.experiments import (
    MAX_SIZES,
    ExperimentState,
    MeasuredSize,
    Now,
    StoredExperiment,
    Trouble,
)
from pooldeck_server.runtime.experiments.trial import TrialError
from pooldeck_server.runtime.experiments.window import median_and_noise

Measure: TypeAlias = Callable[[PoolKind, int], Awaitable[MeasuredSize]]
"""Measures one size of one kind of pool."""

LONGEST: Final = 1800.0
"""Seconds after which an experiment begins no further step."""

_MORE_LOOKS: Final = 2  # at a size whose first figures leave it open whether it is the knee


@dataclass(kw_only=True, eq=False)
class Sweep:
    """An experiment that goes on."""

    experiment: StoredExperiment  # what is known of it now
    measure: Measure
    elapsed: Callable[[], float]  # tells for how many seconds the experiment has gone on
    save: Callable[[StoredExperiment], Awaitable[None]]  # called whenever more is known of it
    _done: int = field(init=False, default=0)

    async def run(self) -> None:
        """Try everything that is planned, and whatever follows from what is found."""
        for kind in self.experiment.plan.sizes:
            try:
                await self._climb(kind)
                await self._measure_again(kind)
            except TrialError as error:
                size = self.experiment.now.size if self.experiment.now else 0
                await self._update(
                    troubles=(*self.experiment.troubles, Trouble(kind, size, str(error)))
                )
        state = ExperimentState.FINISHED if self.experiment.steps else ExperimentState.FAILED
        await self._update(state=state, now=None)

    async def _climb(self, kind: PoolKind) -> None:
        plan = self.experiment.plan
        for _ in range(MAX_SIZES):
            tried = self.experiment.of_kind(kind)
            size = next_size(kind, plan.sizes[kind], tried, is_adaptive=plan.is_adaptive)
            if size is None or self._is_over():
                return
            await self._keep(await self._try(kind, size))

    async def _measure_again(self, kind: PoolKind) -> None:
        """Measure again what noise may have decided, the largest first: drift then cancels."""
        for _ in range(_MORE_LOOKS):
            for size in reversed(doubtful(self.experiment.of_kind(kind))):
                if not self._is_over():
                    await self._keep(await self._try(kind, size, is_again=True))

    async def _try(self, kind: PoolKind, size: int, *, is_again: bool = False) -> MeasuredSize:
        plan, kinds = self.experiment.plan, list(self.experiment.plan.sizes)
        later = kinds[kinds.index(kind) + 1 :]
        ahead = sum(each >= size for each in plan.sizes[kind]) if not is_again else 1
        planned = self._done + max(1, ahead) + sum(len(plan.sizes[other]) for other in later)
        await self._update(now=Now(kind, size, is_again, self._done, planned))
        return await self.measure(kind, size)

    async def _keep(self, step: MeasuredSize) -> None:
        """Take in what was measured, together with what was measured of the same size before."""
        self._done += 1
        same = [each for each in self.experiment.steps if _is_same(each, step)]
        others = tuple(each for each in self.experiment.steps if not _is_same(each, step))
        steps = (*others, together([*same, step]))
        cpus = self.experiment.cpus
        by_kind = ((kind, [each for each in steps if each.kind == kind]) for kind in self._kinds())
        scalings = tuple(found for kind, its in by_kind if (found := scaling(kind, its, cpus)))
        await self._update(steps=steps, scalings=scalings, choice=choose(scalings))

    def _kinds(self) -> Sequence[PoolKind]:
        return tuple(self.experiment.plan.sizes)

    async def _update(self, **news: object) -> None:
        self.experiment = replace(self.experiment, **news)
        await self.save(self.experiment)

    def _is_over(self) -> bool:
        if self.elapsed() < LONGEST:
            return False
        self.experiment = replace(self.experiment, ended_by="limit")
        return True


def _is_same(one: MeasuredSize, other: MeasuredSize) -> bool:
    return (one.kind, one.size) == (other.kind, other.size)


def together(looks: Sequence[MeasuredSize]) -> MeasuredSize:
    """Return several measurements of one size as one: all their slices count alike."""
    first = looks[0]
    if len(looks) == 1:
        return first
    parts = tuple(part for look in looks for part in look.slices)
    throughput, noise = median_and_noise(parts)
    return replace(
        first,
        calls=sum(look.calls for look in looks),
        throughput=throughput,
        noise=noise,
        p50=fmean(look.p50 for look in looks),
        p95=fmean(look.p95 for look in looks),
        cpu=fmean(look.cpu for look in looks),
        rss_bytes=max(look.rss_bytes for look in looks),
        switches=fmean(look.switches for look in looks),
        errors=sum(look.errors for look in looks),
        seconds=sum(look.seconds for look in looks),
        slices=parts,
        busy=fmean(look.busy for look in looks),
        others=fmean(look.others for look in looks),
        looks=sum(look.looks for look in looks),
    )

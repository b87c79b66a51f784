"""Experiments: the list, and one with its conclusion, its curves, the figures of every size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.measurements.experiments import (
    BestSize,
    ExperimentState,
    Law,
    MeasuredSize,
    Scaling,
    StoredExperiment,
)
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.web.pages.experiments.data import ExperimentData
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.experiments import (
    conclusion,
    law_words,
    now_words,
    remarks,
    state_words,
)
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.kinds import kind_words

_MARKS: Final = {
    ExperimentState.RUNNING: "running",
    ExperimentState.FINISHED: "succeeded",
    ExperimentState.STOPPED: "cancelled",
    ExperimentState.FAILED: "failed",
}
"""The state of a task whose mark an experiment has."""


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment in the list; `best` is the recommended size, empty where there is none."""

    experiment: StoredExperiment
    mark: str
    state: str
    best: str
    words: str
    seconds: float | None


@dataclass(frozen=True)
class SizeRow:
    """A size's figures; `before` is its throughput in the experiment that it is compared with."""

    step: MeasuredSize
    efficiency: float | None
    is_knee: bool
    is_now: bool
    share: float  # of the best throughput of all, for its bar
    before: float | None


@dataclass(frozen=True)
class CurvesOfKind:
    """What was found with pools of one kind."""

    kind: PoolKind
    words: str
    rows: tuple[SizeRow, ...]
    scaling: Scaling | None
    knee: str
    law: str


@dataclass(frozen=True)
class Apply:
    """A pool that could have the recommended size now, and what it has."""

    pool: str
    size: int
    present: int


@dataclass(frozen=True)
class ExperimentsView(Page):
    """The experiments, of all functions or of one."""

    template = "experiments/page.html"
    section = "experiments"

    rows: tuple[ExperimentRow, ...]
    functions: Sequence[str]
    function: str


@dataclass(frozen=True)
class ExperimentView(Page):
    """An experiment, with `others` of the same function; `beside` is one to compare it with."""

    template = "experiments/experiment.html"
    section = "experiments"
    flashes = FLASHES["experiments"]

    it: StoredExperiment
    row: ExperimentRow
    conclusion: str
    now_words: str
    remarks: tuple[str, ...]
    kinds: tuple[CurvesOfKind, ...]
    apply: Apply | None
    beside: StoredExperiment | None
    others: tuple[tuple[StoredExperiment, str], ...]
    drawing: Mapping[str, Any]


def experiments_view(
    experiments: Sequence[StoredExperiment], functions: Sequence[str], function: str
) -> ExperimentsView:
    """Return the list; `function` is the one that it is narrowed to, empty for all."""
    return ExperimentsView(tuple(map(_listed, experiments)), functions, function)


def experiment_view(read: ExperimentData, pool: PoolHealth | None) -> ExperimentView:
    """Return the page of one experiment; `pool` is the function's own, where there is one."""
    it, beside = read.experiment, read.beside
    return ExperimentView(
        it=it,
        row=_listed(it),
        conclusion=_so_far(it),
        now_words=now_words(it),
        remarks=tuple(remarks(it)),
        kinds=tuple(_kind(it, beside, kind) for kind in it.plan.sizes if it.of_kind(kind)),
        apply=_apply(it.choice, pool),
        beside=beside,
        others=tuple((other, conclusion(other)) for other in read.others),
        drawing=drawing(it, beside),
    )


def _listed(it: StoredExperiment) -> ExperimentRow:
    choice, ended = it.choice, it.finished_at
    is_running = it.state is ExperimentState.RUNNING
    return ExperimentRow(
        experiment=it,
        mark=_MARKS[it.state],
        state=state_words(it.state),
        best="" if choice is None else kind_words(choice.kind).counted(choice.size),
        words=now_words(it) if is_running else conclusion(it),
        seconds=None if ended is None else seconds(ended - it.created_at),
    )


def _so_far(it: StoredExperiment) -> str:
    found = conclusion(it)
    is_early = it.choice is not None and it.state is ExperimentState.RUNNING
    return _("So far: %(found)s", found=found) if is_early else found


def _kind(it: StoredExperiment, beside: StoredExperiment | None, kind: PoolKind) -> CurvesOfKind:
    found = next((each for each in it.scalings if each.kind == kind), None)
    words = kind_words(kind)
    return CurvesOfKind(
        kind=kind,
        words=words.title,
        rows=tuple(_row(it, beside, step, found) for step in it.of_kind(kind)),
        scaling=found,
        knee="" if found is None else words.counted(found.knee),
        law="" if found is None else law_words(found),
    )


def _row(
    it: StoredExperiment,
    beside: StoredExperiment | None,
    step: MeasuredSize,
    found: Scaling | None,
) -> SizeRow:
    best = max(each.throughput for each in it.steps)
    same = () if beside is None else beside.of_kind(step.kind)
    return SizeRow(
        step=step,
        efficiency=it.efficiency(step),
        is_knee=found is not None and found.knee == step.size,
        is_now=it.now is not None and (it.now.kind, it.now.size) == (step.kind, step.size),
        share=step.throughput / best if best else 0.0,
        before=next((each.throughput for each in same if each.size == step.size), None),
    )


def _apply(choice: BestSize | None, pool: PoolHealth | None) -> Apply | None:
    """Return the size that the function's own pool could have, where that is of the right kind."""
    if choice is None or pool is None or pool.kind != choice.kind:
        return None
    return Apply(pool.name, choice.size, pool.size)


def drawing(it: StoredExperiment, beside: StoredExperiment | None) -> dict[str, Any]:
    return {
        "kinds": [_curves(it, beside, kind) for kind in it.plan.sizes if it.of_kind(kind)],
        "throughput": _("Calls a second"),
        "time": _("Time of a call"),
    }


def _curves(
    it: StoredExperiment, beside: StoredExperiment | None, kind: PoolKind
) -> dict[str, Any]:
    steps = it.of_kind(kind)
    before = () if beside is None else beside.of_kind(kind)
    found = next((each for each in it.scalings if each.kind == kind), None)
    return {
        "kind": kind,
        "is_hollow": KINDS[kind].is_alone,
        "sizes": [step.size for step in steps],
        "throughput": [step.throughput for step in steps],
        "p50": [step.p50 for step in steps],
        "p95": [step.p95 for step in steps],
        "knee": None if found is None else found.knee,
        "law": _curve(found.law, steps[-1].size) if found and found.law else [],
        "before": [[step.size, step.throughput] for step in before],
    }


def _curve(law: Law, largest: int, points: int = 40) -> list[list[float]]:
    """Return the law's throughput at sizes from 1 to the largest, evenly apart on the axis."""
    sizes = (largest ** (place / points) for place in range(points + 1))
    return [[round(size, 3), law.at(size)] for size in sizes]

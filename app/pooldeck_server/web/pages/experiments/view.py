"""The page of one experiment: the conclusion, the curves, the figures of every size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.domain.measurements.experiments import (
    BestSize,
    ExperimentState,
    Law,
    MeasuredSize,
    Scaling,
    StoredExperiment,
)
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.experiments import (
    conclusion,
    law_words,
    now_words,
    remarks,
    state_words,
)
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.kinds import kind_words

FLASHES: Final = {
    "begun": later("The experiment has begun."),
    "stopped": later("The experiment was stopped; what it measured is kept."),
}
"""What the page says of what was just done."""

OTHERS: Final = 8
"""How many other experiments of the same function the page lists."""

_FEW_MILLISECONDS: Final = 0.01


class ExperimentData(Struct, frozen=True):
    """What was read for the page; `beside` is another experiment to compare it with."""

    experiment: StoredExperiment
    others: Sequence[StoredExperiment]
    beside: StoredExperiment | None
    pool: PoolHealth | None  # the function's own, where there is one


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
class Kind:
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


def experiment_context(read: ExperimentData) -> dict[str, Any]:
    """Return what the page of one experiment shows."""
    it = read.experiment
    return {
        "it": it,
        "is_running": it.state is ExperimentState.RUNNING,
        "state": state_words(it.state),
        "conclusion": _so_far(it),
        "now_words": now_words(it),
        "remarks": tuple(remarks(it)),
        "kinds": tuple(_kind(read, kind) for kind in it.plan.sizes if it.of_kind(kind)),
        "apply": _apply(it.choice, read.pool),
        "beside": read.beside,
        "others": tuple((other, conclusion(other)) for other in read.others),
        "drawing": drawing(it, read.beside),
    }


def _so_far(it: StoredExperiment) -> str:
    """Return the conclusion, with a word of caution as long as more is to come."""
    found = conclusion(it)
    is_early = it.choice is not None and it.state is ExperimentState.RUNNING
    return _("So far: %(found)s", found=found) if is_early else found


def _kind(read: ExperimentData, kind: PoolKind) -> Kind:
    it, words = read.experiment, kind_words(kind)
    found = next((each for each in it.scalings if each.kind == kind), None)
    return Kind(
        kind=kind,
        words=words.title,
        rows=tuple(_row(read, step, found) for step in it.of_kind(kind)),
        scaling=found,
        knee="" if found is None else words.counted(found.knee),
        law="" if found is None else law_words(found),
    )


def _row(read: ExperimentData, step: MeasuredSize, found: Scaling | None) -> SizeRow:
    it = read.experiment
    best = max(each.throughput for each in it.steps)
    same = () if read.beside is None else read.beside.of_kind(step.kind)
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
    """Return what the browser draws: the curves of both kinds."""
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


def efficiency(value: float | None) -> str:
    """Return an efficiency in percent."""
    return formats.percent(None if value is None else 100 * value)


def call_time(seconds: float) -> str:
    """Return how long a call takes, with parts of milliseconds where it takes few.

    static/js/experiment_curve.js words it so too.
    """
    if seconds >= _FEW_MILLISECONDS:
        return formats.duration(seconds)
    return _("%(n)s ms", n=formats.rate(1000 * seconds))

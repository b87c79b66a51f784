"""Experiments as the API shows them."""

from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.measurements import experiments as domain
from pooldeck_server.domain.measurements.experiments import ExperimentState
from pooldeck_server.web.api.schemas.types import (
    JsonArray,
    JsonObject,
    Seconds,
    Timestamp,
    optional_timestamp,
    raw,
    shown,
    timestamp,
)
from pooldeck_server.web.text.experiments import conclusion, remarks


class ExperimentSample(Struct, frozen=True):
    """Arguments that the function was tried with; sensitive ones are redacted."""

    args: JsonArray | None
    kwargs: JsonObject | None


class ExperimentPlan(Struct, frozen=True):
    """What was to be tried. `is_adaptive`: nobody named the sizes, so others may have followed."""

    sizes: dict[PoolKind, tuple[int, ...]]
    seconds: Seconds
    warmup: Seconds
    is_adaptive: bool


class ExperimentStep(Struct, frozen=True):
    """What one size of one kind of pool did, with a call in every slot all the time.

    `throughput` is calls a second that succeeded, `noise` its standard error as a share of it,
    `p50` and `p95` how long calls kept their slots, `cpu` CPU seconds a second, `switches` context
    switches a second, `efficiency` the throughput of a slot over that of one in the smallest pool,
    `busy` how many tasks ran in the server's own pools meanwhile, `others` how many CPUs everything
    else on the machine took, `looks` how often it was measured.
    """

    kind: PoolKind
    size: int
    calls: int
    errors: int
    throughput: float
    noise: float
    p50: Seconds
    p95: Seconds
    cpu: float
    rss_bytes: int
    switches: float
    efficiency: float | None
    seconds: Seconds
    busy: float
    others: float
    looks: int


class UniversalScalabilityLaw(Struct, frozen=True):
    """X(N) = rate·N / (1 + contention·(N - 1) + coherency·N·(N - 1)), fitted (Gunther).

    `knee` is the smallest size within 5 % of the law's best among the sizes up to the largest that
    was tried, `r_squared` the share of the differences between sizes that it explains.
    """

    rate: float
    contention: float
    coherency: float
    r_squared: float
    knee: int


class ExperimentScaling(Struct, frozen=True):
    """How throughput went with the size in one kind of pool.

    `knee` is the smallest size measured within 5 % of the best, `law` what was fitted beside it.
    """

    kind: PoolKind
    knee: int
    knee_throughput: float
    best: int
    best_throughput: float
    law: UniversalScalabilityLaw | None

    @classmethod
    def of(cls, found: domain.Scaling) -> Self:
        law = None
        if found.law is not None and found.law_knee is not None:
            law = shown(UniversalScalabilityLaw, found.law, knee=found.law_knee)
        return shown(cls, found, law=law)


class ExperimentTrouble(Struct, frozen=True):
    """Why a kind of pool was given up."""

    kind: PoolKind
    size: int
    message: str


class ExperimentProgress(domain.Now, frozen=True):
    """What is being tried; `done` of about `planned` steps are behind it."""


class Recommended(domain.BestSize, frozen=True):
    """The pool that is best for the function.

    `gain` is its throughput over that of the other kind's knee, null where only one kind was tried.
    `is_close`: the kinds differ too little to justify a move.
    """


class Experiment(Struct, frozen=True):
    """A function tried in temporary pools of several sizes, and what was found.

    `samples` is how many different arguments the calls went through, `shown` the first of them;
    `ended_by` what ended it before its time; `conclusion` one sentence, `remarks` what one should
    know to judge the figures.
    """

    id: str
    function: str
    state: ExperimentState
    created_at: Timestamp
    finished_at: Timestamp | None
    ended_by: Literal["person", "server", "limit"] | None
    plan: ExperimentPlan
    source: Annotated[Literal["given", "latest"], Meta(description="Where the samples are from.")]
    samples: int
    shown: list[ExperimentSample]
    cpus: int
    progress: ExperimentProgress | None
    steps: list[ExperimentStep]
    scalings: list[ExperimentScaling]
    troubles: list[ExperimentTrouble]
    recommended: Recommended | None
    conclusion: str
    remarks: list[str]

    @classmethod
    def of(cls, experiment: domain.StoredExperiment) -> Self:
        return shown(
            cls,
            experiment,
            created_at=timestamp(experiment.created_at),
            finished_at=optional_timestamp(experiment.finished_at),
            shown=[ExperimentSample(raw(each.args), raw(each.kwargs)) for each in experiment.shown],
            progress=experiment.now,
            steps=[
                shown(ExperimentStep, step, efficiency=experiment.efficiency(step))
                for kind in experiment.plan.sizes
                for step in experiment.of_kind(kind)
            ],
            scalings=[ExperimentScaling.of(found) for found in experiment.scalings],
            troubles=[
                shown(ExperimentTrouble, each, message=each.words) for each in experiment.troubles
            ],
            recommended=experiment.choice,
            conclusion=conclusion(experiment),
            remarks=list(remarks(experiment)),
        )


class ExperimentList(Struct, frozen=True):
    """Experiments, the newest first."""

    items: list[Experiment]

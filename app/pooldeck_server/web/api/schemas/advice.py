"""Advice on functions as the API shows it."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck.kinds import PoolKind
from pooldeck.risks import RiskKind
from pooldeck_server import advice
from pooldeck_server.advice.values import AdviceRule, Confidence, Verdict
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.web.api.schemas.sizes import PoolAdvice
from pooldeck_server.web.api.schemas.types import Seconds, Timestamp, shown, timestamp
from pooldeck_server.web.text.advice import sentences
from pooldeck_server.web.text.i18n import in_english
from pooldeck_server.web.text.risks import risk_words

_Share = Annotated[float, Meta(description="Between 0 and 1.")]


class AdvisedPlace(advice.Recommendation, frozen=True):
    """A kind of pool, and one of that kind; `pool` is null where there is none."""


class AdviceSummary(Struct, frozen=True):
    """What measurements say of a function, in short."""

    verdict: Verdict
    recommended: AdvisedPlace | None
    is_misplaced: bool
    confidence: Confidence


class Evidence(Struct, frozen=True):
    """One run in the mean, over the latest `runs`, older ones counting less.

    `wall` is as it was, the other durations are as they would be with nothing beside it. `gil` is
    the CPU time that needs the GIL, null if that was not seen; `gil_share` is its share of all CPU
    time, `cpu_share` that of computing in a run by itself. `spread` is the standard deviation of
    the wall time as a share of its mean, `trend` the latest wall times as a share of earlier ones,
    `beside` the number of other calls in its process. `looks` says how often calls were looked at,
    `page_faults` how often the system had to give it a page of memory.
    """

    runs: float
    runs_ever: int
    looks: float
    observed_seconds: Seconds
    wall: Seconds
    cpu: Seconds
    waiting: Seconds
    gil: Seconds | None
    child_cpu: Seconds
    helper_cpu: Seconds
    cpu_share: _Share
    gil_share: _Share | None
    decode: Seconds
    encode: Seconds
    arguments_bytes: float
    result_bytes: float
    voluntary_switches: float
    involuntary_switches: float
    page_faults: float
    memory_growth_bytes: float | None
    spread: float
    trend: float
    beside: float
    throttled: float
    throttled_seconds: Seconds


class AdvisedCost(Struct, frozen=True):
    """How long so many calls keep the pools busy, by the model; `gain` is the quotient."""

    calls: int
    present_seconds: Seconds
    recommended_seconds: Seconds
    gain: float


class KindProfile(Struct, frozen=True):
    """What is known of a function in pools of one kind; one run in the mean, as in `evidence`."""

    runs: float
    runs_ever: int
    first_at: Timestamp
    last_at: Timestamp
    looks: float
    wall: Seconds
    cpu: Seconds
    waiting: Seconds
    alone: Seconds
    gil: Seconds | None
    child_cpu: Seconds
    helper_cpu: Seconds

    @classmethod
    def of(cls, profile: Profile) -> Self:
        return shown(
            cls,
            profile,
            first_at=timestamp(profile.first_at),
            last_at=timestamp(profile.last_at),
            looks=profile.total.looks,
        )


class SeenRisk(Struct, frozen=True):
    """What is seen at a line of a function's module that its calls would share.

    `within` is the function that does so: itself, or a helper. `type` is that of an object with a
    state, empty elsewhere.
    """

    kind: RiskKind
    what: str
    line: int
    within: str
    type: str
    words: Annotated[str, Meta(description="In English.")]


class FunctionAdvice(Struct, frozen=True):
    """Thread or process: what measurements say of a function, why, and what a move would gain.

    `rule` is the rule that led to the verdict and the recommendation; `sentences` say it in words.
    `recommended` and `cost` are null where nothing can be said yet. `risks` are what is seen in its
    code that concerns it in the kind of pool where it should run, null where that could not be
    looked at. None that are seen do not prove that there are none.
    """

    function: str
    pool: str
    kind: PoolKind
    verdict: Verdict
    rule: AdviceRule
    recommended: AdvisedPlace | None
    is_misplaced: bool
    confidence: Confidence
    sentences: list[str]
    risks: list[SeenRisk] | None
    evidence: Evidence
    cost: AdvisedCost | None
    profiles: dict[PoolKind, KindProfile]

    @classmethod
    def of(cls, given: advice.Advice, profiles: dict[PoolKind, Profile]) -> Self:
        return shown(
            cls,
            given,
            sentences=in_english(_sentences, given),
            risks=in_english(_risks, given),
            evidence=given.numbers,
            profiles={kind: KindProfile.of(profile) for kind, profile in profiles.items()},
        )


def _sentences(given: advice.Advice) -> list[str]:
    words = risk_words(given)
    return [*sentences(given), *([words.sentence] if words else [])]


def _risks(given: advice.Advice) -> list[SeenRisk] | None:
    words, risks = risk_words(given), given.risks_there
    if risks is None:
        return None
    items = words.items if words else ()
    return [shown(SeenRisk, risk, words=item) for risk, item in zip(risks, items, strict=True)]


class AdviceList(Struct, frozen=True):
    """The functions that would clearly do better in another pool, and pools of the wrong size."""

    functions: list[FunctionAdvice]
    pools: list[PoolAdvice]

"""The advice on a function: in which kind of pool it belongs, drawn and in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pooldeck_server.advice import Advice, Confidence, Numbers, Verdict
from pooldeck_server.web.pages.shared.moves import pool_or_kind
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.advice import confidence_words, sentences, verdict_words
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.kinds import kind_words
from pooldeck_server.web.text.risks import RiskWords, risk_words

_STEPS: Final[Mapping[Confidence, int]] = {"none": 0, "low": 1, "medium": 2, "high": 3}
_LEAST: Final = 0.005  # of a run: a smaller part cannot be seen in the bar
_PERCENT: Final = 100.0


@dataclass(frozen=True)
class TimeShare:
    """A part of a run's time: where its piece of the bar starts and how wide it is, in percent."""

    kind: str
    label: str
    seconds: float
    start: float
    percent: float


@dataclass(frozen=True)
class ShareBar:
    """What calls cost in a pool: `percent` is the length of its bar."""

    place: str
    kind: str
    seconds: float
    percent: float
    is_better: bool


@dataclass(frozen=True)
class ShownAdvice:
    """An advice as the page of its function shows it.

    `steps` is its confidence, 0 to 3, and `apply` the pool that its button places the function in,
    "" where it may stay or there is no better one.
    """

    code: Verdict
    verdict: str
    is_misplaced: bool
    apply: str
    steps: int
    confidence: str
    one_run: str
    shares: tuple[TimeShare, ...]
    cost: str
    costs: tuple[ShareBar, ...]
    sentences: Sequence[str]
    risks: RiskWords | None
    experiment: str


def shown(advice: Advice, sizes: Mapping[str, int]) -> ShownAdvice:
    return ShownAdvice(
        code=advice.verdict,
        verdict=verdict_words(advice.verdict),
        is_misplaced=advice.is_misplaced,
        apply=_better_pool(advice),
        steps=_STEPS[advice.confidence],
        confidence=confidence_words(advice),
        one_run=_one_run(advice.numbers),
        shares=tuple(_shares(advice.numbers)),
        cost=_cost(advice),
        costs=tuple(_costs(advice, sizes)),
        sentences=sentences(advice),
        risks=risk_words(advice),
        experiment=f"/experiments/new?{urlencode({'function': advice.function})}",
    )


def _better_pool(advice: Advice) -> str:
    better = advice.recommended if advice.is_misplaced else None
    return (better.pool if better else None) or ""


def _one_run(numbers: Numbers) -> str:
    alone = formats.duration(numbers.alone)
    return _("Where the time of one run goes: %(time)s, with nothing beside it", time=alone)


def _cost(advice: Advice) -> str:
    calls = formats.count(advice.cost.calls) if advice.cost else ""
    return _("What %(calls)s calls take there, by these measurements", calls=calls)


def _shares(numbers: Numbers) -> Iterator[TimeShare]:
    parts = [part for part in _parts(numbers) if part[2] > _LEAST * numbers.alone]
    whole = sum(seconds for _kind, _label, seconds in parts)
    start = 0.0
    for kind, label, seconds in parts:
        percent = _PERCENT * seconds / whole
        yield TimeShare(kind, label, seconds, round(start, 2), round(percent, 2))
        start += percent


def _parts(numbers: Numbers) -> Iterable[tuple[str, str, float]]:
    elsewhere = min(numbers.waiting, numbers.helped_cpu)
    if numbers.gil is None:
        yield "cpu", _("computing"), numbers.cpu
    else:
        yield "gil", _("computing with the GIL"), numbers.gil
        yield "free", _("computing without the GIL"), numbers.cpu - numbers.gil
    yield "child", _("its child processes and other threads compute"), elsewhere
    yield "waiting", _("waiting"), numbers.waiting - elsewhere


def _costs(advice: Advice, sizes: Mapping[str, int]) -> Iterator[ShareBar]:
    cost, better = advice.cost, advice.recommended
    if cost is None or better is None or better.kind == advice.kind:
        return
    longest = max(cost.present_seconds, cost.recommended_seconds)
    for place, kind, seconds in (
        (advice.pool, advice.kind, cost.present_seconds),
        (pool_or_kind(better), better.kind, cost.recommended_seconds),
    ):
        yield ShareBar(
            place=place,
            kind=kind_words(kind).counted(size) if (size := sizes.get(place)) else "",
            seconds=seconds,
            percent=round(_PERCENT * seconds / longest, 2),
            is_better=kind == better.kind,
        )

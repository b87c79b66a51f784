"""Moves that are advised, as lists of functions show them: from where to where, and what for."""

from collections.abc import Iterable
from dataclasses import dataclass

from pooldeck_server.advice import Advice, Recommendation, Verdict
from pooldeck_server.advice.placing import CLEAR_GAIN
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.advice import verdict_words
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.kinds import kind_words


@dataclass(frozen=True)
class BriefAdvice:
    """An advice as a list of functions shows it; `better` is the pool to move to, if to any."""

    code: Verdict
    words: str
    better: str


@dataclass(frozen=True)
class MisplacedRow:
    """A function that would do better in another pool, as a line of a list."""

    advice: Advice
    verdict: str
    better: str
    gain: str


def brief(advice: Advice) -> BriefAdvice:
    better = pool_or_kind(advice.recommended) if advice.is_misplaced else ""
    return BriefAdvice(advice.verdict, verdict_words(advice.verdict), better)


def misplaced_lines(misplaced: Iterable[Advice]) -> list[MisplacedRow]:
    return [_line(advice) for advice in sorted(misplaced, key=_gain, reverse=True)]


def _gain(advice: Advice) -> float:
    return advice.cost.gain if advice.cost else 0.0


def _line(advice: Advice) -> MisplacedRow:
    return MisplacedRow(
        advice=advice,
        verdict=verdict_words(advice.verdict),
        better=pool_or_kind(advice.recommended),
        gain=_gain_words(advice),
    )


def _gain_words(advice: Advice) -> str:
    if advice.cost is None or advice.cost.gain < CLEAR_GAIN:
        return _("not faster, but it slows nothing down beside it")
    return _("%(times)s times as fast", times=formats.rate(advice.cost.gain))


def pool_or_kind(better: Recommendation | None) -> str:
    """Return the pool that is recommended; what it would be made of, where there is none."""
    if better is None:
        return ""
    return better.pool or kind_words(better.kind).many

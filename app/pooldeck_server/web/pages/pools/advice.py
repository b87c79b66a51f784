"""The advice on a pool's size: the sizes that are right on a scale, and why."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck.kinds import KINDS
from pooldeck_server.domain.pools.sizes import Range, SizeAdvice
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.sizes import machine_sentences, size_sentences, size_verdict

_PERCENT: Final = 100.0
_WIDEST_THREADS: Final = 200
_WIDEST_PROCESSES: Final = 8
_NARROWEST: Final = 1.2  # percent of the scale, for a range of one size
_EDGE: Final = 12.0  # percent within which a label keeps to the edge
_APART: Final = 9.0  # percent between two labels, at least


@dataclass(frozen=True)
class Tick:
    """A size that is named on the scale; `anchor` is as in SVG."""

    place: float
    words: str
    anchor: str


@dataclass(frozen=True)
class Scale:
    """The scale of sizes, each doubling as far as the one before; places are in percent of it."""

    words: str
    low: float
    width: float
    now: Tick
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class ShownSize:
    """An advice on a size as the page shows it; `apply` is the size that its button sets.

    `sentences` are what it rests on, but for the machine, which the page shows once for all pools.
    """

    verdict: str
    apply: int | None
    scale: Scale | None
    sentences: Sequence[str]
    facts: tuple[tuple[str, str], ...]


def shown(advice: SizeAdvice) -> ShownSize:
    verdict = size_verdict(advice)
    above = {verdict, *machine_sentences(advice)}
    return ShownSize(
        verdict=verdict,
        apply=advice.recommended,
        scale=_scale(advice, advice.right) if advice.right else None,
        sentences=[each for each in size_sentences(advice) if each not in above],
        facts=tuple(_facts(advice)),
    )


def _scale(advice: SizeAdvice, right: Range) -> Scale:
    size = advice.pool.size
    usual = _WIDEST_PROCESSES if KINDS[advice.pool.kind].is_alone else _WIDEST_THREADS
    end = max(usual, size, right.high)
    low, high = _place(right.low, end), _place(right.high, end)
    width = max(_NARROWEST, high - low)
    return Scale(
        words=_right(right, size),
        low=min(low, _PERCENT - width),
        width=width,
        now=_tick(size, end, _("%(size)s now", size=formats.count(size))),
        ticks=tuple(_ticks(right, end)),
    )


def _place(size: int, end: int) -> float:
    return round(_PERCENT * math.log2(size) / math.log2(end), 2)


def _tick(size: int, end: int, words: str) -> Tick:
    place = _place(size, end)
    anchor = "start" if place < _EDGE else "end" if place > _PERCENT - _EDGE else "middle"
    return Tick(place, words, anchor)


def _ticks(right: Range, end: int) -> Iterator[Tick]:
    """Yield the sizes that are named: those that are right, and the ends where there is room."""
    ticks = [_tick(size, end, formats.count(size)) for size in sorted({right.low, right.high})]
    if ticks[-1].place - ticks[0].place < _APART:
        both = "\N{EN DASH}".join(dict.fromkeys(tick.words for tick in ticks))
        ticks = [Tick(ticks[0].place, both, ticks[0].anchor)]
    if ticks[0].place > _APART:
        yield _tick(1, end, "1")
    yield from ticks
    if ticks[-1].place < _PERCENT - _APART:
        yield _tick(end, end, formats.count(end))


def _right(right: Range, size: int) -> str:
    if right.low == right.high:
        return _("%(low)s is right, %(size)s now", low=right.low, size=size)
    return _(
        "%(low)s to %(high)s are right, %(size)s now", low=right.low, high=right.high, size=size
    )


def _facts(advice: SizeAdvice) -> Iterator[tuple[str, str]]:
    load = advice.pool.load
    voluntary, involuntary = load.switches
    yield _("Utilization"), formats.share(advice.pool.utilization)
    yield _("Slots that the load needs"), _amount(advice.needed)
    yield _("Longest wait"), formats.duration(load.oldest_wait)
    yield (
        _("Context switches per second"),
        _(
            "%(waited)s waited, %(pushed)s pushed out",
            waited=formats.rate(voluntary),
            pushed=formats.rate(involuntary),
        ),
    )
    yield from _limits(advice)


def _limits(advice: SizeAdvice) -> Iterator[tuple[str, str]]:
    for label, size in (
        (_("Uses up the CPUs at"), advice.by_cpus),
        (_("Uses up the GIL at"), advice.by_gil),
        (_("The target bears"), advice.by_target),
    ):
        if size is not None:
            yield label, formats.count(size)
    if advice.pool.cost is not None and advice.pool.cost.throttled:
        yield _("Throttled for"), formats.share(advice.pool.cost.throttled)


def _amount(number: float | None) -> str:
    return formats.NOTHING if number is None else formats.rate(number)

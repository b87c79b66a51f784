"""An advice on a function in the words of the reader's language."""

from collections.abc import Iterator, Mapping
from typing import Final

from pooldeck.kinds import KINDS
from pooldeck_server.advice import Advice, AdviceRule, Numbers, Verdict
from pooldeck_server.advice.placing import CLEAR_GAIN
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.kinds import kind_words

_VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.HOLDS_GIL: later("computes, holding the GIL"),
    Verdict.RELEASES_GIL: later("computes without the GIL"),
    Verdict.IO_BOUND: later("waits"),
    Verdict.MIXED: later("waits and computes"),
    Verdict.TOO_CHEAP: later("cheaper than its handover"),
    Verdict.UNKNOWN: later("cannot say yet"),
}
_CONFIDENCES: Final[Mapping[str, str]] = {
    "none": later("not enough runs"),
    "low": later("low confidence"),
    "medium": later("medium confidence"),
    "high": later("high confidence"),
}
_REASONS: Final[Mapping[AdviceRule, str]] = {
    AdviceRule.NEVER_RAN: later("No run has been measured yet, so that nothing can be said."),
    AdviceRule.FEW_RUNS: later(
        "It has run too little to say anything: three runs, or half a second of one, will do."
    ),
    AdviceRule.BLURRED: later(
        "It has run only beside others, and this system does not tell whether it waited for them "
        "or for something else: run it a few times by itself."
    ),
    AdviceRule.HANDOVER: later(
        "A run takes %(run)s, less than it takes to hand it to a worker and back: let one task do "
        "many of them."
    ),
    AdviceRule.GIL_HELD: later(
        "It computes for %(share)s of its time and needs the GIL for %(gil)s of that, so that of "
        "many threads only one gets on at a time."
    ),
    AdviceRule.GIL_ASSUMED: later(
        "It computes for %(share)s of its time, in runs too short to see whether it gives up the "
        "GIL. Most code does not."
    ),
    AdviceRule.GIL_RELEASED: later(
        "It computes for %(share)s of its time, and for %(free)s of that without the GIL: threads "
        "use all CPUs as well as processes do, and cost less."
    ),
    AdviceRule.CHILDREN: later(
        "Child processes or threads of its own compute for it, %(cpu)s of CPU time a run. A thread "
        "waits for them as well as a process does."
    ),
    AdviceRule.WAITS: later(
        "It waits for %(off)s of its time. A thread waits as well as a process does, and many "
        "threads cost little."
    ),
    AdviceRule.MEMORY_LIMITS: later(
        "It computes for %(share)s of its time and needs no GIL, but asks the system for memory "
        "%(pages)s times a second. Threads of one process take turns at that: only %(on)s got on "
        "at a time."
    ),
    AdviceRule.GIL_LIMITS: later(
        "It needs the GIL for only %(needed)s of a run, but this machine has so many CPUs that "
        "threads would wait for one another."
    ),
    AdviceRule.PROCESSES_FASTER: later(
        "It computes for %(computing)s and waits for %(waiting)s in a run. In threads the GIL "
        "would limit it before the CPUs do."
    ),
    AdviceRule.THREADS_ENOUGH: later(
        "It computes for %(computing)s and waits for %(waiting)s in a run. While one thread waits "
        "others compute, so that processes would gain nothing worth their cost."
    ),
}
"""What a function is, by the rule that says so."""

_UNEVEN: Final = 1.0  # standard deviation as a share of the mean
_SLOWER: Final = 1.5  # trend from which it is told
_FASTER: Final = 0.67


def verdict_words(verdict: Verdict) -> str:
    return _(_VERDICTS[verdict])


def confidence_words(advice: Advice) -> str:
    return _(_CONFIDENCES[advice.confidence])


def sentences(advice: Advice) -> list[str]:
    """Return an advice in whole sentences: what it is, where it belongs, what is odd about it."""
    return [
        _(_REASONS[advice.rule], **_values(advice.numbers)),
        *_doubts(advice),
        *_placing(advice),
        *_evidence(advice.numbers),
        *_oddities(advice.numbers),
    ]


def _values(numbers: Numbers) -> dict[str, str]:
    return {
        "run": formats.duration(numbers.alone),
        "share": formats.share(numbers.cpu_share),
        "off": formats.share(1.0 - numbers.cpu_share),
        "gil": formats.share(numbers.gil_share),
        "free": formats.share(1.0 - (numbers.gil_share or 0.0)),
        "needed": formats.duration(numbers.cpu if numbers.gil is None else numbers.gil),
        "cpu": formats.duration(numbers.helped_cpu),
        "computing": formats.duration(numbers.computing),
        "waiting": formats.duration(numbers.alone - numbers.computing),
        "pages": formats.count(
            round(numbers.page_faults / numbers.all_cpu) if numbers.all_cpu else 0
        ),
        "on": formats.rate(numbers.at_a_time * (numbers.getting_on or 0.0)),
    }


def _doubts(advice: Advice) -> Iterator[str]:
    """Yield what may make it slower in threads than the rule says."""
    if advice.rule is AdviceRule.GIL_RELEASED and advice.numbers.asks_for_memory:
        yield _(
            "But it asks the system for memory %(pages)s times for each second of computing, and "
            "threads of one process take turns at that: processes may be faster. An experiment "
            "tells.",
            pages=_values(advice.numbers)["pages"],
        )


def _placing(advice: Advice) -> Iterator[str]:
    target, cost = advice.recommended, advice.cost
    if target is None or cost is None or advice.verdict is Verdict.TOO_CHEAP:
        return
    if target.kind == advice.kind:
        yield _("It is in the right kind of pool.")
        return
    if advice.is_kept_by_memory:
        yield _(
            "It had better stay: its runs leave their process %(growth)s larger each, and "
            "%(pool)s replaces a worker that holds more than %(limit)s. In threads that adds up "
            "in one process.",
            growth=formats.size(int(advice.numbers.memory_growth_bytes or 0)),
            pool=advice.pool,
            limit=formats.size(advice.lost_limit),
        )
        return
    if not advice.is_misplaced:
        yield _(
            "%(kind)s would do as well and cost less.", kind=_capital(kind_words(target.kind).pool)
        )
        return
    yield _move(advice)
    if cost.gain < CLEAR_GAIN:
        if advice.verdict is Verdict.HOLDS_GIL:
            yield _("It keeps the GIL from whatever else runs in %(pool)s.", pool=advice.pool)
    else:
        yield _(
            "%(calls)s calls take about %(here)s in %(pool)s, and would take about %(there)s: "
            "%(gain)s times as fast.",
            calls=cost.calls,
            here=formats.duration(cost.present_seconds),
            pool=advice.pool,
            there=formats.duration(cost.recommended_seconds),
            gain=formats.rate(cost.gain),
        )
    if not KINDS[target.kind].is_alone:
        yield _(
            "Measurements do not tell whether it works there: in threads its calls share the "
            "working directory, signal handlers and global variables."
        )
    if advice.lost_limit:
        yield _(
            "%(pool)s replaces a worker that holds more than %(limit)s: in threads, what its calls "
            "hold adds up in one process that nothing bounds so.",
            pool=advice.pool,
            limit=formats.size(advice.lost_limit),
        )


def _move(advice: Advice) -> str:
    target = advice.recommended
    assert target is not None  # noqa: S101 - who is misplaced has a better place
    kind = kind_words(target.kind).pool
    if target.pool is None:
        return _("It belongs in %(kind)s, of which there is none.", kind=kind)
    return _("It belongs in %(kind)s, such as %(pool)s.", kind=kind, pool=target.pool)


def _evidence(numbers: Numbers) -> Iterator[str]:
    if numbers.runs_ever:
        yield ngettext(
            "Measured over %(num)s run.", "Measured over %(num)s runs.", numbers.runs_ever
        )


def _oddities(numbers: Numbers) -> Iterator[str]:
    if numbers.throttled:
        yield _("Its target throttles it: more slots would make it wait longer, not work faster.")
    if numbers.spread > _UNEVEN:
        yield _("Its runs differ a lot in length; what is said holds in the mean.")
    if numbers.trend > _SLOWER:
        yield _("Its latest runs took longer than those before.")
    elif numbers.trend < _FASTER:
        yield _("Its latest runs took less time than those before.")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

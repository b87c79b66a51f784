"""Sentences on a pool's size, in the language of the reader."""

from collections.abc import Iterator, Mapping
from typing import Final

from pooldeck.kinds import KINDS
from pooldeck_server.advice.sizes import MOST_THREADS
from pooldeck_server.advice.verdicts import WAITS
from pooldeck_server.domain.pools.sizes import Effect, FunctionCost, SizeAdvice, SizeRule
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, both, later, ngettext
from pooldeck_server.web.text.kinds import kind_words

_PRESSED: Final = 0.1  # of a minute, from which on pressure is told
_CPU_BOUND: Final = 0.5
_VERDICTS: Final[Mapping[SizeRule, str | tuple[str, str]]] = {
    SizeRule.NOTHING_RAN: later(
        "Cannot say yet: nothing that was measured ran in it within the last hour."
    ),
    SizeRule.ON_HOSTS: later(
        "Cannot say: its slots are on hosts, and only the server's own machine is measured."
    ),
    SizeRule.LOAD_FITS: later(
        "Its size fits: the busiest minutes of the last hour needed %(needed)s of its %(size)s."
    ),
    SizeRule.LOAD_NEEDS_MORE: later(
        "Make it larger, %(size)s: the busiest minutes of the last hour needed %(needed)s, and a "
        "pool that is never idle lets tasks wait."
    ),
    SizeRule.PRESSURE: later(
        "It is busy, but do not make it larger now: on this machine something waits for a CPU as "
        "it is, and more that compute would wait as well."
    ),
    SizeRule.THROTTLED: later(
        "Make it smaller, %(size)s: what its functions talk to throttles them, and turns more at "
        "once away."
    ),
    SizeRule.OVER_CPUS: both(
        "Make it smaller: there is %(num)s CPU, and %(slots)s beyond that only take turns.",
        "Make it smaller: there are %(num)s CPUs, and %(slots)s beyond that only take turns.",
    ),
    SizeRule.CROWDED: later(
        "Make it smaller, %(size)s: that many %(slots)s use up the CPUs, and the others take turns "
        "with them."
    ),
}
"""What to do and why, by the rule that says so; words with a number are of CPUs."""


def size_sentences(advice: SizeAdvice) -> list[str]:
    """Return an advice on a size in whole sentences: what to do and why, then what it rests on."""
    if advice.rule is SizeRule.ON_HOSTS:
        return [size_verdict(advice)]
    return [
        size_verdict(advice),
        *_threads(advice),
        *_expectation(advice),
        *_load(advice),
        *machine_sentences(advice),
        *_elsewhere(advice),
    ]


def size_verdict(advice: SizeAdvice) -> str:
    """Return what to do about a size, and why, in one sentence."""
    if advice.rule is SizeRule.MACHINE_FULL:
        return _full(advice)
    slots = kind_words(advice.pool.kind).many
    words, needed = _VERDICTS[advice.rule], formats.rate(advice.needed or 0.0)
    if not isinstance(words, str):
        return ngettext(*words, advice.machine.cpus, slots=slots)
    size = advice.pool.size if advice.rule is SizeRule.LOAD_FITS else advice.recommended
    return _(words, needed=needed, size=_slots(size or 0), slots=slots)


def _full(advice: SizeAdvice) -> str:
    slots = kind_words(advice.pool.kind).many
    if KINDS[advice.pool.kind].is_alone:
        if advice.pool.cost is not None and advice.pool.cost.cpu_share <= WAITS:
            return _(
                "It is busy with waiting: more %(slots)s would do more at once, each with memory "
                "of its own, and leave the CPUs free.",
                slots=slots,
            )
        return ngettext(
            "It is busy, but more %(slots)s would not help: there is %(num)s CPU.",
            "It is busy, but more %(slots)s would not help: there are %(num)s CPUs.",
            advice.machine.cpus,
            slots=slots,
        )
    if advice.by_gil is not None and advice.by_gil < (advice.by_cpus or 0):
        return _(
            "It is busy, but more %(slots)s would not help: %(enough)s use up the GIL that they "
            "share. What computes belongs in processes.",
            slots=slots,
            enough=advice.by_gil,
        )
    return _(
        "It is busy, but more %(slots)s would not help: %(enough)s use up the CPUs.",
        slots=slots,
        enough=advice.right.high if advice.right else advice.pool.size,
    )


def _expectation(advice: SizeAdvice) -> Iterator[str]:
    now, then = advice.present, advice.expected
    if now is None or then is None:
        return
    if advice.rule is SizeRule.THROTTLED:
        yield _("Expected: about as many answers, and fewer that are turned away.")
    elif advice.verdict == "smaller":
        yield _(
            "Expected: still up to %(then)s tasks a second, each of them done sooner.",
            then=formats.rate(then.capacity),
        )
    else:
        yield _(
            "Expected: up to %(then)s tasks a second instead of %(now)s, and %(wait)s.",
            then=formats.rate(then.capacity),
            now=formats.rate(now.capacity),
            wait=_wait(then),
        )


def _threads(advice: SizeAdvice) -> Iterator[str]:
    """Yield what to set where tasks compute on more threads than there are CPUs for them."""
    wanted, cost = advice.threads_per_task, advice.pool.cost
    if wanted is None or cost is None:
        return
    yield ngettext(
        "Each of its tasks computes on %(threads)s threads at once, and its %(slots)s share "
        "%(num)s CPU: set threads_per_task of the pool to %(wanted)s, or OMP_NUM_THREADS where you "
        "have set that. Code that starts threads of its own has to start fewer.",
        "Each of its tasks computes on %(threads)s threads at once, and its %(slots)s share "
        "%(num)s CPUs: set threads_per_task of the pool to %(wanted)s, or OMP_NUM_THREADS where "
        "you have set that. Code that starts threads of its own has to start fewer.",
        advice.machine.cpus,
        threads=formats.rate(cost.threads),
        slots=kind_words(advice.pool.kind).many,
        wanted=wanted,
    )


def _wait(effect: Effect) -> str:
    if effect.wait is None:
        return _("a queue that still grows in such minutes")
    return _(
        "a mean wait of %(wait)s in such minutes", wait=formats.duration(round(effect.wait, 4))
    )


def _load(advice: SizeAdvice) -> Iterator[str]:
    cost = advice.pool.cost
    if cost is None:
        return
    yield _(
        "A run computes for %(cpu)s and waits for %(waiting)s in the mean.",
        cpu=formats.duration(cost.cpu),
        waiting=formats.duration(cost.waiting),
    )
    if advice.by_cpus is not None and not KINDS[advice.pool.kind].is_alone:
        yield _by_cpus(advice, cost)
    elif cost.cpu_share <= WAITS:
        yield _("Its functions mostly wait: a thread pool would let more of them wait at once.")


def _by_cpus(advice: SizeAdvice, cost: FunctionCost) -> str:
    words = kind_words(advice.pool.kind)
    if not cost.cpu:
        return _("No number of %(slots)s would use up the CPUs.", slots=words.many)
    capped = later(
        "CPUs times (1 + waiting / computing), here %(cpus)s times (1 + %(ratio)s): %(slots)s or "
        "more, and more are never advised."
    )
    plain = later(
        "CPUs times (1 + waiting / computing), here %(cpus)s times (1 + %(ratio)s): %(slots)s."
    )
    return _(
        capped if (advice.by_cpus or 1) >= MOST_THREADS else plain,
        cpus=advice.machine.cpus,
        ratio=formats.rate(cost.waiting / cost.cpu),
        slots=words.counted(advice.by_cpus or 1),
    )


def machine_sentences(advice: SizeAdvice) -> Iterator[str]:
    """Yield what is to be told of the machine: the same for each of its pools."""
    yield from crowding_sentences(advice)
    pressure = advice.machine.pressure
    if pressure is not None and pressure.avg60 >= _PRESSED:
        yield _(
            "In the last minute something waited for a CPU for %(share)s of the time.",
            share=formats.percent(100 * pressure.avg60),
        )


def crowding_sentences(advice: SizeAdvice) -> Iterator[str]:
    """Yield whether all pools together may compute on more slots than there are CPUs."""
    cpus = advice.machine.cpus
    if advice.computing > cpus:
        yield _(
            "All pools together may compute on %(slots)s at once, with %(cpus)s.",
            slots=_slots(advice.computing),
            cpus=ngettext("%(num)s CPU", "%(num)s CPUs", cpus),
        )


def _elsewhere(advice: SizeAdvice) -> Iterator[str]:
    """Yield what a size cannot mend."""
    cost = advice.pool.cost
    if cost is None or advice.by_gil is None:  # whose calls have a GIL each, has no such limit
        return
    if cost.cpu_share >= _CPU_BOUND and advice.by_gil < (advice.by_cpus or 0):
        yield _(
            "Its functions mostly compute, and hold the GIL: processes would serve them, whatever "
            "the size."
        )


def _slots(number: int) -> str:
    return ngettext("%(num)s slot", "%(num)s slots", number)

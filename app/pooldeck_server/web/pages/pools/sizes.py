"""The meaning of a pool's size: for the CPUs, for memory, and where it comes from."""

from collections.abc import Iterator
from typing import Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice.sizes import effect_at
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.memory import PoolMemory
from pooldeck_server.domain.pools.sizes import SizeAdvice
from pooldeck_server.settings import PoolSettings
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.kinds import kind_words
from pooldeck_server.web.text.memory import effect_words, needed_words

_MANY_THREADS: Final = 100
_WIDEST_THREADS: Final = 128
_WIDEST_PROCESSES: Final = 16
_PER_CPU: Final = 4


def meaning(size: int, memory: PoolMemory, advice: SizeAdvice) -> str:
    """Return what a size means, in sentences: for CPUs, memory and throughput.

    Of the present one, what it needs stands on the page as what there is.
    """
    is_present = size == memory.size
    is_alone = KINDS[memory.kind].is_alone
    words = [*(_processes(size, advice.machine.cpus) if is_alone else _threads(size))]
    if not is_present or memory.fits(size) != "fits":
        words += needed_words(memory, size)
    effect = effect_at(advice, size)
    if not is_present or effect is not None:
        words += effect_words(effect)
    return " ".join(words)


def meaning_on_hosts(size: int, pool: PoolHealth) -> str:
    """Return what a size means for a pool whose workers are on hosts."""
    standing = sum(host.stands for host in pool.hosts or ())
    return _(
        "%(slots)s on each host, %(all)s on the hosts that are there.",
        slots=ngettext("%(num)s slot", "%(num)s slots", size),
        all=formats.count(size * standing),
    )


def slider_end(pool: PoolHealth, cpus: int) -> int:
    """Return the largest size that a slider offers; the number beside it takes more."""
    if KINDS[pool.kind].is_alone:
        return max(_WIDEST_PROCESSES, _PER_CPU * cpus, pool.size)
    return max(_WIDEST_THREADS, pool.size)


def origin(kind: PoolKind, settings: PoolSettings, control: PoolControl | None) -> str:
    if control is not None and control.size is not None:
        return _("by hand, configured %(size)s", size=formats.count(control.configured))
    if settings.size is not None:
        return _("from the settings")
    return kind_words(kind).default_size


def hosts_origin(control: PoolControl | None) -> str:
    """Return whence the number of hosts is that an engine is asked for; "" as configured."""
    if control is None or control.hosts is None or control.configured_hosts is None:
        return ""
    return _("by hand, configured %(size)s", size=formats.count(control.configured_hosts))


def _threads(size: int) -> Iterator[str]:
    yield ngettext("%(num)s thread in one process.", "%(num)s threads in one process.", size)
    yield _("They wait at the same time, but compute one at a time.")
    if size > _MANY_THREADS:
        yield _("Watch open connections, and what the other end allows.")


def _processes(size: int, cpus: int) -> Iterator[str]:
    yield _(
        "%(processes)s, %(cpus)s: %(verdict)s.",
        processes=ngettext("%(num)s process", "%(num)s processes", size),
        cpus=ngettext("%(num)s CPU", "%(num)s CPUs", cpus),
        verdict=_verdict(size, cpus),
    )


def _verdict(size: int, cpus: int) -> str:
    if size > cpus:
        return _("more than the CPUs, work that computes will not go faster")
    if size == cpus:
        return _("each can compute at full speed")
    return ngettext("%(num)s CPU stays free", "%(num)s CPUs stay free", cpus - size)

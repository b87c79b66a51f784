"""The meaning of a pool's size: for the CPUs, for memory, and where it comes from."""

from collections.abc import Iterable, Iterator
from statistics import median_low
from typing import Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.pools.health import PoolHealth, WorkerHealth
from pooldeck_server.settings import PoolSettings
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.kinds import kind_words

_MANY_THREADS: Final = 100
_WIDEST_THREADS: Final = 128
_WIDEST_PROCESSES: Final = 16
_PER_CPU: Final = 4


def meaning(kind: PoolKind, size: int, cpus: int, memory: int | None) -> str:
    """Return what a size means, in sentences; a worker holds `memory` bytes, None if unknown."""
    is_alone = KINDS[kind].is_alone
    words = _processes(size, cpus, memory) if is_alone else _threads(size, memory)
    return " ".join(words)


def typical_memory(workers: Iterable[WorkerHealth]) -> int | None:
    """Return what one of the workers typically holds in bytes, None before it was measured."""
    measured = [worker.rss_bytes for worker in workers if worker.rss_bytes]
    return median_low(measured) if measured else None


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


def _threads(size: int, memory: int | None) -> Iterator[str]:
    yield ngettext("%(num)s thread in one process.", "%(num)s threads in one process.", size)
    yield _("They wait at the same time, but compute one at a time.")
    if size > _MANY_THREADS:
        yield _("Watch open connections, and what the other end allows.")
    if memory is not None:
        yield _("The process holds %(size)s now.", size=formats.size(memory))


def _processes(size: int, cpus: int, memory: int | None) -> Iterator[str]:
    yield _(
        "%(processes)s, %(cpus)s: %(verdict)s.",
        processes=ngettext("%(num)s process", "%(num)s processes", size),
        cpus=ngettext("%(num)s CPU", "%(num)s CPUs", cpus),
        verdict=_verdict(size, cpus),
    )
    if memory is not None:
        yield _(
            "About %(total)s of memory: %(one)s each, as its workers hold now.",
            total=formats.size(size * memory),
            one=formats.size(memory),
        )


def _verdict(size: int, cpus: int) -> str:
    if size > cpus:
        return _("more than the CPUs, work that computes will not go faster")
    if size == cpus:
        return _("each can compute at full speed")
    return ngettext("%(num)s CPU stays free", "%(num)s CPUs stay free", cpus - size)

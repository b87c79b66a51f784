"""The pools with their settings and workers, and what was done to them lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck.pools.native_threads import threads_per_task
from pooldeck_server.domain.notices import HALTED, Need
from pooldeck_server.domain.pools.annotations import OF_FUNCTIONS, StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.memory import PoolMemory
from pooldeck_server.domain.pools.sizes import SizeAdvice
from pooldeck_server.settings import MAX_HOSTS, MAX_POOL_SIZE, PoolSettings
from pooldeck_server.web.pages.pools import sizes
from pooldeck_server.web.pages.pools.advice import ShownSize, shown
from pooldeck_server.web.pages.pools.data import LATELY
from pooldeck_server.web.pages.pools.machine import ShownMachine
from pooldeck_server.web.pages.pools.memory import ShownMemory, shown_memory
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.notices import NoticeText, notice_text

_SAID_ABOVE: Final = {Need.BROKEN, Need.HOLD, *HALTED.values()}


@dataclass(frozen=True)
class PoolSection:
    """A pool on its page."""

    health: PoolHealth
    settings: PoolSettings
    size_origin: str
    hosts_origin: str  # of the number of hosts that an engine is asked for
    size: int  # that the form has: the present one, or one that was asked about
    size_means: str
    slider_end: int
    native_threads: int  # that libraries may start for a task; 0: as many as they like
    size_advice: ShownSize | None  # None: it is not on this machine, which is measured
    memory: ShownMemory | None  # likewise
    attention: tuple[NoticeText, ...]
    lately: Sequence[StoredAnnotation]
    most_hosts: int = MAX_HOSTS


@dataclass(frozen=True)
class PoolsView(Page):
    """The pools; `changed` is the one to which something was just done, empty if to none.

    `machine` is the one under those that are not on hosts, None where all are.
    """

    template = "pools/page.html"
    section = "pools"
    flashes = FLASHES["pools"]

    sections: Sequence[PoolSection]
    machine: ShownMachine | None
    changed: str
    largest: int = MAX_POOL_SIZE


def pool_section(
    pool: PoolHealth,
    settings: PoolSettings,
    annotations: Sequence[StoredAnnotation],
    *,
    homes: Mapping[str, str],
    advice: SizeAdvice,
    memory: PoolMemory,
    asked: int | None = None,
) -> PoolSection:
    """Return a pool as its page has it; `asked` is a size of which somebody asks what it means."""
    size, is_here = asked or pool.size, pool.hosts is None
    lately = [
        each
        for each in annotations
        if each.kind not in OF_FUNCTIONS or homes.get(each.subject or "") == pool.name
    ]
    return PoolSection(
        health=pool,
        settings=settings,
        size_origin=sizes.origin(pool.kind, settings, pool.controls),
        hosts_origin=sizes.hosts_origin(pool.controls),
        size=size,
        size_means=sizes.meaning(size, memory, advice)
        if is_here
        else sizes.meaning_on_hosts(size, pool),
        slider_end=sizes.slider_end(pool, advice.machine.cpus),
        memory=shown_memory(memory) if is_here else None,
        native_threads=threads_per_task(pool.kind, pool.size, settings.threads_per_task),
        size_advice=shown(advice) if is_here else None,
        attention=tuple(notice_text(each) for each in pool.notices if each.need not in _SAID_ABOVE),
        lately=lately[:LATELY],
    )

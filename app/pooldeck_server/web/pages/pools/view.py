"""The pools with their settings and workers, and what was done to them lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.domain.notices import HALTED, Need
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.pools.sizes import SizeAdvice
from pooldeck_server.settings import PoolSettings
from pooldeck_server.web.pages.deck.view import slot_state
from pooldeck_server.web.pages.pools import sizes
from pooldeck_server.web.pages.pools.advice import ShownSize, shown
from pooldeck_server.web.pages.pools.history import Deed, deeds
from pooldeck_server.web.text.i18n import later
from pooldeck_server.web.text.notices import NoticeText
from pooldeck_server.web.text.notices import notice_text as said

_OF_FUNCTIONS: Final = {"hold", "release"}
_SAID_ABOVE: Final = {Need.BROKEN, Need.HOLD, *HALTED.values()}

LATELY: Final = 8
"""How many things are listed that were done to a pool."""

FLASHES: Final = {
    "resized": later("It has another size now."),
    "paused": later("It is paused: what runs goes on, what is queued waits."),
    "resumed": later("It hands out what is queued."),
    "draining": later("It finishes what runs and hands nothing new out; then it is stopped."),
    "restarting": later("Its workers are replaced one by one; each loads the code anew."),
    "killed": later("The worker was killed, and another takes its place."),
}
"""What the page says of what was just done to a pool."""


class PoolsData(Struct, frozen=True):
    """What was read for the page.

    `annotations` are the latest of each pool, `homes` the pool that each function runs in, and
    `advice` is that on the size of each pool.
    """

    pools: Sequence[PoolHealth]
    settings: Mapping[str, PoolSettings]
    annotations: Mapping[str, Sequence[StoredAnnotation]]
    homes: Mapping[str, str]
    advice: Mapping[str, SizeAdvice]
    cpus: int


@dataclass(frozen=True)
class PoolSection:
    """A pool on its page; `flash` says what was just done to it."""

    health: PoolHealth
    settings: PoolSettings
    flash: str | None
    size_origin: str
    size_means: str
    slider_end: int
    size_advice: ShownSize
    attention: tuple[NoticeText, ...]
    lately: tuple[Deed, ...]


def pools_context(read: PoolsData, changed: str, flash: str | None) -> dict[str, Any]:
    """Return what the page of the pools shows.

    Args:
        read: What was read.
        changed: The pool to which something was just done, empty if to none.
        flash: What is said of it.
    """
    return {
        "sections": [
            _section(read, pool, flash if pool.name == changed else None) for pool in read.pools
        ],
        "tasks_of": tasks_of,
    }


def size_means(pool: PoolHealth, size: int, cpus: int) -> str:
    """Return what it would mean for a pool to have a size, in sentences."""
    return sizes.meaning(pool.kind, size, cpus, sizes.typical_memory(pool.workers))


def tasks_of(worker: WorkerHealth) -> list[tuple[SlotHealth, str]]:
    """Return the slots of a worker that run something, each with the word for what it does."""
    return [(slot, slot_state(worker, slot)) for slot in worker.slots if slot.task is not None]


def _section(read: PoolsData, pool: PoolHealth, flash: str | None) -> PoolSection:
    settings = read.settings[pool.name]
    return PoolSection(
        health=pool,
        settings=settings,
        flash=flash,
        size_origin=sizes.origin(pool.kind, settings, pool.controls),
        size_means=size_means(pool, pool.size, read.cpus),
        slider_end=sizes.slider_end(pool, read.cpus),
        size_advice=shown(read.advice[pool.name]),
        attention=tuple(said(each) for each in pool.notices if each.need not in _SAID_ABOVE),
        lately=deeds(_own(read, pool.name)),
    )


def _own(read: PoolsData, pool: str) -> list[StoredAnnotation]:
    """Return what was done to a pool lately: holds only of functions that run in it."""
    found = [
        each
        for each in read.annotations.get(pool, ())
        if each.kind not in _OF_FUNCTIONS or read.homes.get(each.subject or "") == pool
    ]
    return found[:LATELY]

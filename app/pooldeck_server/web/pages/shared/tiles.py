"""Slots and workers as they are drawn: the layout of a pool, the state of a slot, a sparkline."""

from collections.abc import Sequence
from typing import Final, TypeVar

from pooldeck.kinds import KINDS
from pooldeck_server.domain.notices import HALTED
from pooldeck_server.domain.pools.health import NO_CONTACT, PoolHealth, SlotHealth, WorkerHealth

_SQUARES_FROM: Final = 65  # slots of a pool that are drawn as small squares
_SPARK_WIDTH: Final = 90  # units, one for each ten seconds
_SPARK_HEIGHT: Final = 24
_SPARK_ROOM: Final = 20  # of the height, for the highest value

T = TypeVar("T", SlotHealth, WorkerHealth)


def layout(pool: PoolHealth) -> str:
    """Return how a pool's slots are drawn: "tiles", "cells" or "squares"."""
    if pool.slots >= _SQUARES_FROM:
        return "squares"
    return "tiles" if KINDS[pool.kind].is_alone else "cells"


def slot_state(worker: WorkerHealth, slot: SlotHealth, pool_state: str = "running") -> str:
    """Return what a slot does, by the name of the state that its tile shows."""
    if slot.abandoned:
        return "abandoned"
    if worker.state == NO_CONTACT:
        return NO_CONTACT
    if slot.task is not None:
        return "asked" if slot.cancel_requested else "busy"
    if worker.state in {"starting", "stopping"}:
        return worker.state
    return "paused" if pool_state in HALTED else "idle"


def late_first(items: Sequence[T]) -> list[tuple[int, T]]:
    """Return slots or workers with their numbers from 1: late ones first, else as they were."""
    return sorted(enumerate(items, 1), key=lambda item: not _is_late(item[1]))


def _is_late(item: SlotHealth | WorkerHealth) -> bool:
    if isinstance(item, WorkerHealth):
        return any(slot.is_late for slot in item.slots)
    return item.is_late


def spark(values: Sequence[float]) -> str:
    """Return the points of a sparkline, the latest at the right edge; as static/js/sparkline.js."""
    shown = values[-_SPARK_WIDTH:]
    top = max(shown, default=0.0) or 1.0
    first = _SPARK_WIDTH - len(shown)
    return " ".join(
        f"{first + place},{_SPARK_HEIGHT - 1 - int(_SPARK_ROOM * value / top + 0.5)}"
        for place, value in enumerate(shown)
    )

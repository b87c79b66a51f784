"""The deck: every pool with its workers and slots, as the page's filter narrows them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from pooldeck.kinds import KINDS
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.notices import HALTED
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.pools.health import DeadWorker, PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.web.pages.deck.story import story
from pooldeck_server.web.text.colours import colour_of

_SQUARES_FROM = 65  # slots of a pool that are drawn as small squares

BLANK_WORKER = WorkerHealth(
    id="", pid=None, state="starting", started_at=None, tasks_done=0, slots=()
)
"""What the browser makes new workers from."""

_BLANK_DEAD = DeadWorker("", "", "", None)

SPARK_WIDTH: Final = 90
"""Units of a sparkline, one for each ten seconds."""

_SPARK_HEIGHT: Final = 24
_SPARK_ROOM: Final = 20  # of the height, for the highest value

T = TypeVar("T", SlotHealth, WorkerHealth)


class Narrowed(Struct, frozen=True):
    """What the page is narrowed to: a pool, a function, both or neither."""

    pool: str | None = None
    function: str | None = None

    def without(self, name: str) -> str:
        """Return the address of the page without one of the two."""
        rest = {"pool": self.pool, "function": self.function} | {name: None}
        query = urlencode({key: value for key, value in rest.items() if value})
        return f"/?{query}" if query else "/"


def deck_context(
    frame: Frame, run: ServerRun, now: int, catalogue: Catalogue, narrowed: Narrowed
) -> dict[str, Any]:
    """Return what the deck shows of its pools.

    Args:
        frame: The live picture.
        run: This run of the server, with what its start found.
        now: Microseconds since the epoch.
        catalogue: The functions, to choose from.
        narrowed: What the page is narrowed to.
    """
    return {
        "story": story(run, now),
        "started_at": run.started_at,
        "pools": _shown(frame.pools, catalogue, narrowed),
        "pool_names": [pool.name for pool in frame.pools],
        "function_names": [each.spec.name for each in catalogue.functions()],
        "narrowed": narrowed,
        "blank_worker": BLANK_WORKER,
        "blank_slot": SlotHealth(),
        "blank_dead": _BLANK_DEAD,
        "deck": {
            "colour_of": colour_of,
            "layout": layout,
            "late_first": late_first,
            "slot_state": slot_state,
            "spark": spark,
            "function": narrowed.function,
        },
    }


def _shown(
    pools: Iterable[PoolHealth], catalogue: Catalogue, narrowed: Narrowed
) -> list[PoolHealth]:
    """Return the pools that the page is narrowed to: by name, and where the function runs."""
    named = [pool for pool in pools if narrowed.pool in {None, pool.name}]
    if narrowed.function is None:
        return named
    homes = {each.pool for each in catalogue.functions() if each.spec.name == narrowed.function}
    return [pool for pool in named if pool.name in homes or _runs(pool, narrowed.function)]


def _runs(pool: PoolHealth, function: str) -> bool:
    return any(slot.function == function for worker in pool.workers for slot in worker.slots)


def layout(pool: PoolHealth) -> str:
    """Return how a pool's slots are drawn: "tiles", "cells" or "squares"."""
    if pool.size >= _SQUARES_FROM:
        return "squares"
    return "tiles" if KINDS[pool.kind].is_alone else "cells"


def slot_state(worker: WorkerHealth, slot: SlotHealth, pool_state: str = "running") -> str:
    """Return what a slot does, by the name of the state that its tile shows."""
    if slot.abandoned:
        return "abandoned"
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
    """Return the points of a sparkline, the latest at the right edge; as static/js/sparkline.js.

    Args:
        values: One for each unit of its width, oldest first; the highest is as high as it can be.
    """
    shown = values[-SPARK_WIDTH:]
    top = max(shown, default=0.0) or 1.0
    first = SPARK_WIDTH - len(shown)
    return " ".join(
        f"{first + place},{_SPARK_HEIGHT - 1 - int(_SPARK_ROOM * value / top + 0.5)}"
        for place, value in enumerate(shown)
    )

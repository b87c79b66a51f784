"""The pools with their settings and workers, and what was just done to them."""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.health import PoolHealth, SlotHealth, WorkerHealth
from app.settings import PoolSettings
from app.web.contexts.deck import slot_state

SAID: Final = {
    "resized": "It has another size now.",
    "paused": "It is paused: what runs goes on, what is queued waits.",
    "resumed": "It hands out what is queued.",
    "draining": "It finishes what runs and hands nothing new out; then it is stopped.",
    "restarting": "Its workers are replaced one by one; each loads the code anew.",
    "killed": "The worker was killed, and another takes its place.",
}
"""What the page says of what was just done to a pool."""


def pools_context(
    pools: tuple[PoolHealth, ...],
    settings: Mapping[str, PoolSettings],
    told: tuple[str, str | None],
) -> dict[str, Any]:
    """Return what the page of the pools shows.

    Args:
        pools: Their health.
        settings: Their settings, by name.
        told: The pool to which something was just done, and what that was in words.
    """
    changed, words = told
    return {
        "pools": [
            (pool, settings[pool.name], words if pool.name == changed else None) for pool in pools
        ],
        "tasks_of": tasks_of,
    }


def tasks_of(worker: WorkerHealth) -> list[tuple[SlotHealth, str]]:
    """Return the slots of a worker that run something, each with the word for what it does."""
    return [(slot, slot_state(worker, slot)) for slot in worker.slots if slot.task is not None]

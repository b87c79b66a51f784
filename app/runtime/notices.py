"""What of a pool needs somebody's attention, in words. Pure functions of the pool's picture."""

from collections.abc import Iterator
from typing import Final

from app.domain.controls import Hold
from app.domain.health import SlotHealth, WorkerHealth

STARVING_SECONDS: Final = 10.0
"""How long all slots of a pool must have been busy, with nothing ended, to speak of starvation."""

_SPANS: Final = (
    (86400, "a day"),
    (3600, "an hour"),
    (60, "a minute"),
    (STARVING_SECONDS, f"{STARVING_SECONDS:g} s"),
)


def starvation(workers: tuple[WorkerHealth, ...], size: int, waiting: int) -> str | None:
    """Return the words for a pool in which nothing ends while something waits, None for others.

    What runs longest is no sign: the slot that was filled last says since when nothing has ended.
    The words stay the same for as long as can be: a screen reader says them anew when they change.
    """
    busy = [slot.elapsed for slot in _slots(workers) if slot.elapsed is not None]
    seconds = min(busy, default=0.0)
    if not waiting or len(busy) < size or seconds < STARVING_SECONDS:
        return None
    slots = "its only slot has" if size == 1 else f"all {size} slots have"
    span = next(words for least, words in _SPANS if seconds >= least)
    return (
        f"starvation: {slots} been busy for over {span} while tasks wait; if what runs waits for "
        "what is queued, neither ends: make the pool larger, or kill one"
    )


def abandoned(workers: tuple[WorkerHealth, ...]) -> Iterator[str]:
    """Yield the words for each worker with threads that outlived their tasks."""
    for worker in workers:
        number = sum(slot.abandoned for slot in worker.slots)
        if number:
            threads = "1 abandoned thread" if number == 1 else f"{number} abandoned threads"
            yield f"{threads} in {worker.id}: their tasks are over, but they run on until they end"


def on_hold(hold: Hold) -> str:
    """Return the words for a function of the pool that is on hold."""
    return f"tasks of {hold.function} wait, since {hold.reason}: release it when it is mended"


def _slots(workers: tuple[WorkerHealth, ...]) -> Iterator[SlotHealth]:
    for worker in workers:
        yield from (slot for slot in worker.slots if not slot.abandoned)

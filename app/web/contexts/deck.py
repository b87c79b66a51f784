"""The deck: every pool with its workers and slots, and what ended in the last hour."""

from collections.abc import Iterable
from typing import Any

from app.domain.controls import ServerRun
from app.domain.events import Frame
from app.domain.figures import Activity
from app.domain.health import PoolHealth, SlotHealth, WorkerHealth
from app.domain.states import FINAL
from app.web.contexts.story import story

MINUTES = 60  # of the chart

_SQUARES_FROM = 65  # slots of a pool that are drawn as small squares

BLANK_WORKER = WorkerHealth(
    id="", pid=None, state="starting", started_at=None, tasks_done=0, slots=()
)
"""What the browser makes new workers from."""


def deck_context(frame: Frame, run: ServerRun, now: int) -> dict[str, Any]:
    """Return what the deck shows.

    Args:
        frame: The live picture.
        run: This run of the server, with what its start found.
        now: Microseconds since the epoch.
    """
    return {
        "story": story(run, now),
        "started_at": run.started_at,
        "pools": frame.pools,
        "blank_worker": BLANK_WORKER,
        "blank_slot": SlotHealth(),
        "slot_state": slot_state,
        "layout": layout,
        "ended": frame.window,
    }


def layout(pool: PoolHealth) -> str:
    """Return how a pool's slots are drawn: "tiles", "cells" or "squares"."""
    if pool.size >= _SQUARES_FROM:
        return "squares"
    return "tiles" if pool.kind == "process" else "cells"


def slot_state(worker: WorkerHealth, slot: SlotHealth) -> str:
    """Return what a slot does, in the word that its tile shows."""
    if slot.abandoned:
        return "abandoned"
    if slot.task is not None:
        return "asked" if slot.cancel_requested else "busy"
    return worker.state if worker.state in {"starting", "stopping"} else "idle"


def throughput(rows: Iterable[Activity], now_minute: int) -> dict[str, list[int]]:
    """Return how many tasks ended in each of the last 60 minutes.

    Args:
        rows: What ended in each minute.
        now_minute: The minute that is running, counted since the epoch.

    Returns:
        The seconds of each minute's start under "at", and a list for each way to end.
    """
    first = now_minute - MINUTES + 1
    series = {state.value: [0] * MINUTES for state in FINAL}
    for row in rows:
        if first <= row.minute <= now_minute:
            series[row.state][row.minute - first] += row.n
    return {"at": [minute * 60 for minute in range(first, now_minute + 1)], **series}

"""One task: its outcome, where its time went, its log, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from app.domain.states import FINAL, State
from app.domain.tasks import LogEntry, StoredTask
from pooldeck.outcome import Error, Measurement

_T = TypeVar("_T")

LOG_LINES = 500
_WIDTH = 1000.0  # of the timing bar, in units of its drawing
_NARROWEST = 4.0


@dataclass(frozen=True)
class Segment:
    """A stretch of the timing bar: `x` and `width` in units of the drawing."""

    kind: str
    label: str
    seconds: float
    x: float
    width: float


def task_context(
    task: StoredTask, logs: Sequence[LogEntry], *, is_callable: bool
) -> dict[str, Any]:
    """Return what the page of one task shows.

    Args:
        task: The task.
        logs: The first lines of its log, one more than `LOG_LINES` where there are more.
        is_callable: Whether its function can be submitted now.
    """
    measurement = _decoded(task.measurement, Measurement)
    return {
        "task": task,
        "is_final": task.state in FINAL,
        "can_cancel": task.state in {State.QUEUED, State.SCHEDULED},
        "segments": segments(task, measurement),
        "measurement": measurement,
        "errors": tuple(_causes(_decoded(task.error, Error))),
        "logs": logs[:LOG_LINES],
        "has_more_logs": len(logs) > LOG_LINES,
        "is_callable": is_callable,
    }


def segments(task: StoredTask, measurement: Measurement | None) -> tuple[Segment, ...]:
    """Return where the task's time went, in order; nothing before it ended."""
    if measurement is None:
        return ()
    on_cpu = min(measurement.run, measurement.cpu + measurement.child_cpu)
    parts = (
        ("queued", "waiting for a slot", task.queued_seconds or 0.0),
        ("decode", "reading arguments", measurement.decode),
        ("cpu", "on CPU", on_cpu),
        ("off", "off CPU", measurement.run - on_cpu),
        ("encode", "writing the result", measurement.encode),
    )
    return _laid_out([part for part in parts if part[2] > 0])


def _laid_out(parts: list[tuple[str, str, float]]) -> tuple[Segment, ...]:
    total = sum(seconds for _, _, seconds in parts)
    widths = [max(_NARROWEST, seconds / total * _WIDTH) for _, _, seconds in parts]
    scale = _WIDTH / sum(widths) if widths else 1.0
    laid, x = [], 0.0
    for (kind, label, seconds), width in zip(parts, widths, strict=True):
        laid.append(Segment(kind, label, seconds, round(x, 2), round(width * scale, 2)))
        x += width * scale
    return tuple(laid)


def _causes(error: Error | None) -> list[Error]:
    """Return an error and what caused it, outermost first."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.cause
    return chain


def _decoded(text: str | None, type_: type[_T]) -> _T | None:
    return None if text is None else msgspec.json.decode(text, type=type_)

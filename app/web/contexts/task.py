"""One task: its outcome, where its time went, its log, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from app.domain.states import FINAL, State
from app.domain.tasks import LogEntry, RunOptions, StoredAttempt, StoredTask
from pooldeck.outcome import Error, Measurement

_T = TypeVar("_T")

LOG_LINES: Final = 500
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


class Reading(Struct, frozen=True):
    """What was read of a task: log lines of one attempt, one more than `LOG_LINES` if so many.

    `are_erased`: its sensitive arguments are gone. `is_asked`: it was asked to end itself.
    """

    task: StoredTask
    attempts: Sequence[StoredAttempt]
    logs: Sequence[LogEntry]
    attempt: int | None  # the one whose log that is; None: the latest
    are_erased: bool
    is_asked: bool
    is_callable: bool


@dataclass(frozen=True)
class AttemptRow:
    """An attempt in the list of them; errors outermost first."""

    attempt: StoredAttempt
    errors: tuple[Error, ...]
    is_shown: bool  # its log is the one on the page


SAID: Final = {
    "cancelled": "It was cancelled before it started.",
    "cancel_requested": "It was asked to end itself, and does so where its function looks at "
    "current_task().cancelled. If it does not: kill it.",
    "killed": "It was killed: its worker process was ended, and another takes its place.",
    "abandoned": "It was abandoned: its thread cannot be ended and runs on, but its slot is free.",
    "already_ended": "It had ended before.",
    "retried": "It is queued again, as a new attempt.",
}
"""What the page says of what was just done."""


def task_context(read: Reading) -> dict[str, Any]:
    """Return what the page of one task shows."""
    task = read.task
    measurement = _decoded(task.measurement, Measurement)
    shown = read.attempt or task.attempt
    return {
        "task": task,
        "options": RunOptions.from_json(task.options),
        "is_final": task.state in FINAL,
        "can_cancel": task.state in {State.QUEUED, State.SCHEDULED},
        "can_retry": task.state in FINAL and read.is_callable and not read.are_erased,
        "are_erased": read.are_erased,
        "is_asked": read.is_asked,
        "segments": segments(task, measurement),
        "measurement": measurement,
        "errors": _causes(task.error),
        "attempts": [
            AttemptRow(each, _causes(each.error), is_shown=each.attempt == shown)
            for each in reversed(read.attempts)
        ],
        "logs": read.logs[:LOG_LINES],
        "has_more_logs": len(read.logs) > LOG_LINES,
        "shown_attempt": shown,
        "is_callable": read.is_callable,
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


def _causes(text: str | None) -> tuple[Error, ...]:
    """Return an error and what caused it, outermost first."""
    chain, error = [], _decoded(text, Error)
    while error is not None:
        chain.append(error)
        error = error.cause
    return tuple(chain)


def _decoded(text: str | None, type_: type[_T]) -> _T | None:
    return None if text is None else msgspec.json.decode(text, type=type_)

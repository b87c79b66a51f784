"""One task: its outcome, the way there, its log, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from pooldeck.functions import RunOptions
from pooldeck.kinds import Ending
from pooldeck.outcome import Error, Measurement
from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import SlotHealth
from pooldeck_server.domain.tasks.attempt import LatestRun, StoredAttempt
from pooldeck_server.domain.tasks.dependencies import RelatedTasks
from pooldeck_server.domain.tasks.log import LogEntry, LogWindow
from pooldeck_server.domain.tasks.pipelines import StoredPipeline
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.json_text import JsonText, json_text
from pooldeck_server.web.pages.shared.tracebacks import Part, traceback_parts
from pooldeck_server.web.pages.task.diagram import diagram
from pooldeck_server.web.pages.task.journey import journey
from pooldeck_server.web.pages.task.layouts import TALL, WIDE
from pooldeck_server.web.pages.task.links import links_context
from pooldeck_server.web.pages.task.log import log_part
from pooldeck_server.web.pages.task.runs import strip
from pooldeck_server.web.pages.task.times import segments
from pooldeck_server.web.text.hints import hint_words
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.kill import kill_button
from pooldeck_server.web.text.placement import placed_words

_T = TypeVar("_T")

FLASHES: Final[dict[str, str]] = {
    "cancelled": later("It was cancelled before it started."),
    "cancel_requested": later(
        "It was asked to end itself: a function does so where it looks at "
        "current_task().cancelled, a command is told to."
    ),
    Ending.WORKER_ENDED: later(
        "It was killed: its worker process was ended, and another takes its place."
    ),
    Ending.COMMAND_ENDED: later(
        "It was killed: its command was made to end, and the thread that waited for it goes on."
    ),
    Ending.NEVER_STARTED: later("It was killed before it started."),
    Ending.ABANDONED: later(
        "It was abandoned: its thread cannot be ended and runs on, but its slot is free."
    ),
    "already_ended": later("It had ended before."),
    "retried": later("It is queued again, as a new attempt."),
}
"""What the page says of what was just done."""


class TaskData(Struct, frozen=True):
    """What was read of a task.

    `log` are the lines in `window`, one more than a page shows if there are so many.
    `are_erased`: its sensitive arguments are gone. `slot` is where it runs, None if nowhere.
    """

    task: StoredTask
    attempts: Sequence[StoredAttempt]  # none where the task itself says all of them
    window: LogWindow
    log: Sequence[LogEntry]
    runs: Sequence[LatestRun]
    durations: Durations
    kill: StoredAnnotation | None
    are_erased: bool
    slot: SlotHealth | None
    is_callable: bool
    now: int  # microseconds since the epoch
    around: RelatedTasks = RelatedTasks()
    pipeline: StoredPipeline | None = None


@dataclass(frozen=True)
class ErrorShown:
    """An error of a chain, its traceback in parts."""

    error: Error
    traceback: tuple[Part, ...]
    hint: str | None = None


@dataclass(frozen=True)
class AttemptRow:
    """An attempt in the list of them; errors outermost first."""

    attempt: StoredAttempt
    errors: tuple[ErrorShown, ...]
    is_shown: bool  # its log is the one on the page


@dataclass(frozen=True)
class Value:
    """An argument list or the result: `name` is the field that a program would ask for."""

    name: str
    label: str
    text: JsonText


def task_context(read: TaskData) -> dict[str, Any]:
    """Return what the page of one task shows."""
    task = read.task
    measurement = _decoded(task.measurement, Measurement)
    shown = read.window.attempt or task.attempt
    return {
        "task": task,
        "options": RunOptions.from_json(task.options),
        "placed": placed_words(task.placed),
        "is_final": task.state in FINAL,
        **_way(read),
        "segments": segments(task, measurement, read.now),
        "measurement": measurement,
        "kill": read.kill,
        **links_context(task, read.around, read.pipeline),
        "errors": _chain(task.error),
        "arguments": _arguments(task),
        "result": _value("result", "", task.result),
        "attempts": [
            AttemptRow(each, _chain(each.error), is_shown=each.attempt == shown)
            for each in reversed(read.attempts)
        ],
        "runs": strip(task, read.runs, read.durations, read.now),
        "durations": read.durations,
        "log": log_part(task.id, shown, read.window, read.log),
        **_possible(read),
    }


def _possible(read: TaskData) -> dict[str, bool | str]:
    """Return what can be done with the task, and what cannot."""
    task, slot = read.task, read.slot
    return {
        "can_cancel": task.state in {State.QUEUED, State.SCHEDULED},
        "can_retry": task.state in FINAL and read.is_callable and not read.are_erased,
        "are_erased": read.are_erased,
        "is_asked": slot is not None and slot.cancel_requested,
        "kill_button": kill_button(slot.if_killed if slot else None),
        "is_callable": read.is_callable,
    }


def _way(read: TaskData) -> dict[str, Any]:
    """Return the states that the task went through, and how they are drawn."""
    ended = sum(each.state in FINAL for each in read.attempts)
    earlier = max(0, ended - (read.task.state in FINAL))
    way = journey(read.task, earlier, read.now)
    return {
        "stops": way.stops,
        "earlier": earlier,
        "diagrams": (diagram(way, WIDE), diagram(way, TALL)),
    }


def _arguments(task: StoredTask) -> tuple[Value, ...]:
    both = (
        _value("args", _("in order"), None if task.args == "[]" else task.args),
        _value("kwargs", _("by name"), None if task.kwargs == "{}" else task.kwargs),
    )
    return tuple(value for value in both if value is not None)


def _value(name: str, label: str, text: str | None) -> Value | None:
    return None if text is None else Value(name, label, json_text(text))


def _chain(text: str | None) -> tuple[ErrorShown, ...]:
    """Return an error and what caused it, outermost first."""
    chain, error = [], _decoded(text, Error)
    while error is not None:
        parts = traceback_parts(error.traceback or "")
        chain.append(ErrorShown(error, parts, hint_words(error)))
        error = error.cause
    return tuple(chain)


def _decoded(text: str | None, type_: type[_T]) -> _T | None:
    return None if text is None else msgspec.json.decode(text, type=type_)

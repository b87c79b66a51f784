"""Where a task's time went, as one bar: from its readiness to the commit of its end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pooldeck.outcome import Measurement
from pooldeck_server.domain.clock import SECOND, seconds
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.text.i18n import _

_WIDTH: Final = 1000.0  # of the bar, in units of its drawing
_NARROWEST: Final = 4.0


@dataclass(frozen=True)
class Segment:
    """A stretch of the bar: `x` and `width` in units of the drawing; `is_open`: it still grows."""

    kind: str
    label: str
    seconds: float
    x: float = 0.0
    width: float = 0.0
    is_open: bool = False


def segments(task: StoredTask, measurement: Measurement | None, now: int) -> tuple[Segment, ...]:
    parts = (*_waiting(task, now), *_running(task, measurement, now), *_recording(task))
    return _laid_out([part for part in parts if part.seconds > 0 or part.is_open])


def waited(task: StoredTask, now: int) -> float | None:
    """Return the seconds that a task waited for a slot, so far if it still does.

    None if that is not known, or it was never queued.
    """
    if task.queued_seconds is not None or task.state is State.SCHEDULED or task.is_unreleased:
        return task.queued_seconds
    end = task.finished_at if task.state in FINAL else now
    ready = max(task.created_at, task.run_at or 0)
    return None if end is None or end < ready else seconds(end - ready)


def ran(task: StoredTask, now: int) -> float | None:
    """Return the seconds that a task ran, so far if it still does; None if it did not start."""
    if task.run_seconds is not None or task.started_at is None:
        return task.run_seconds
    end = task.finished_at if task.state in FINAL else now
    return None if end is None else max(0.0, (end - task.started_at) / SECOND)


def _waiting(task: StoredTask, now: int) -> Iterator[Segment]:
    seconds = waited(task, now)
    if seconds is not None:
        label = _("in the queue")
        yield Segment("queued", label, seconds, is_open=task.state is State.QUEUED)


def _running(task: StoredTask, measured: Measurement | None, now: int) -> Iterator[Segment]:
    if measured is not None:
        yield from _measured(task, measured)
    elif (seconds := ran(task, now)) is not None:
        yield Segment("run", _("running"), seconds, is_open=task.state is State.RUNNING)


def _measured(task: StoredTask, measured: Measurement) -> Iterator[Segment]:
    on_cpu = min(measured.run, measured.cpu + measured.child_cpu)
    yield Segment("handover", _("hand-over"), _handover(task, measured))
    yield Segment("decode", _("reading arguments"), measured.decode)
    yield Segment("cpu", _("on CPU"), on_cpu)
    yield Segment("off", _("off CPU"), measured.run - on_cpu)
    yield Segment("encode", _("writing the result"), measured.encode)


def _handover(task: StoredTask, measured: Measurement) -> float:
    """Return what went into the way to the worker and back: what no clock in it has counted."""
    if task.started_at is None or task.finished_at is None:
        return 0.0
    together = (task.finished_at - task.started_at) / SECOND
    return together - measured.decode - measured.run - measured.encode


def _recording(task: StoredTask) -> Iterator[Segment]:
    if task.recorded_at is not None and task.finished_at is not None:
        least = 1  # microsecond: the clock of SQLite, which counts milliseconds, may be behind
        seconds = max(least, task.recorded_at - task.finished_at) / SECOND
        yield Segment("record", _("recording the end"), seconds)


def _laid_out(parts: list[Segment]) -> tuple[Segment, ...]:
    total = sum(part.seconds for part in parts) or 1.0
    widths = [max(_NARROWEST, part.seconds / total * _WIDTH) for part in parts]
    scale = _WIDTH / sum(widths) if widths else 1.0
    laid, x = [], 0.0
    for part, width in zip(parts, widths, strict=True):
        laid.append(replace(part, x=round(x, 2), width=round(width * scale, 2)))
        x += width * scale
    return tuple(laid)

"""A function's latest runs as a strip of marks, one of them this task's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.domain.tasks.attempt import LatestRun
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.task.times import ran
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.states import state_word

_PITCH: Final = 10.0  # pixels between two marks
_LEFT: Final = 8.0
_MARGIN: Final = 44.0  # on the right, for the names of the lines
_NARROWEST: Final = 320.0
_TOP, _BOTTOM = 12.0, 84.0
_CLOSE: Final = 12.0  # pixels between two names that would touch
_WIDE_SPREAD: Final = 20.0  # times the shortest from which on the scale is logarithmic
_SHORTEST: Final = 0.0001  # seconds; shorter ones stand at the foot of a logarithmic scale


@dataclass(frozen=True)
class RunMark:
    """A run: where its mark stands, and what it says."""

    id: str
    state: State
    x: float
    y: float
    words: str
    is_this: bool


@dataclass(frozen=True)
class RunLine:
    """A usual duration, drawn across the strip."""

    name: str
    y: float
    is_named: bool


@dataclass(frozen=True)
class RunStrip:
    """The drawing, in pixels; the later a task was submitted, the further right it stands."""

    marks: tuple[RunMark, ...]
    lines: tuple[RunLine, ...]
    width: float
    is_logarithmic: bool
    this: float | None  # where this task's mark stands


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    is_logarithmic: bool

    def y(self, seconds: float) -> float:
        low, high, value = self.low, self.high, min(max(seconds, self.low), self.high)
        if self.is_logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)


def strip(
    task: StoredTask, runs: Sequence[LatestRun], durations: Durations, now: int
) -> RunStrip | None:
    shown = _with_this(task, runs, now)
    if len(shown) < 2:  # noqa: PLR2004 - one is nothing to compare with
        return None
    scale = _scale([run.run_seconds for run in shown])
    marks = tuple(_mark(task, run, place, scale) for place, run in enumerate(shown))
    return RunStrip(
        marks=marks,
        lines=_lines(durations, scale),
        width=max(_NARROWEST, _LEFT + _PITCH * len(shown) + _MARGIN),
        is_logarithmic=scale.is_logarithmic,
        this=next((mark.x for mark in marks if mark.is_this), None),
    )


def _with_this(task: StoredTask, runs: Sequence[LatestRun], now: int) -> list[LatestRun]:
    seconds = ran(task, now)
    if task.state is not State.RUNNING or seconds is None:
        return list(runs)
    this = LatestRun(task.seq, task.id, task.state, seconds, now)
    return sorted([*runs, this], key=lambda run: run.seq)


def _scale(seconds: Sequence[float]) -> _Scale:
    low, high = max(min(seconds), _SHORTEST), max(*seconds, _SHORTEST)
    if high / low > _WIDE_SPREAD:
        return _Scale(low, high, is_logarithmic=True)
    return _Scale(0.0, high, is_logarithmic=False)


def _mark(task: StoredTask, run: LatestRun, place: int, scale: _Scale) -> RunMark:
    words = _(", ").join([state_word(run.state), formats.duration(run.run_seconds)])
    is_this = run.id == task.id
    return RunMark(
        id=run.id,
        state=run.state,
        x=_LEFT + _PITCH * (place + 0.5),
        y=scale.y(run.run_seconds),
        words=_("%(words)s (this task)", words=words) if is_this else words,
        is_this=is_this,
    )


def _lines(durations: Durations, scale: _Scale) -> tuple[RunLine, ...]:
    if durations.run is None:
        return ()
    usual, slow = scale.y(durations.run.p50), scale.y(durations.run.p95)
    return (
        RunLine("p95", slow, is_named=True),
        RunLine("p50", usual, is_named=usual - slow >= _CLOSE),
    )

"""The strip of numbers on top of every page: what there is now, what ended lately, what waits."""

from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.states import state_word

_PRESENT: Final = (State.RUNNING, State.QUEUED, State.SCHEDULED)


@dataclass(frozen=True)
class Number:
    """A number of the strip; `field` names it for the browser, `href` lists what it counts.

    `mark` is the shape beside it: that of a state, or of a crash.
    """

    field: str
    label: str
    value: str
    href: str
    mark: str
    is_zero: bool


@dataclass(frozen=True)
class PoolStrip:
    """The strip in its groups; `elapsed` is how many seconds the oldest queued task has waited."""

    present: tuple[Number, ...]
    ended: tuple[Number, ...]
    incidents: Number
    elapsed: float | None
    oldest_wait: str
    window: str


def strip(frame: Frame) -> PoolStrip:
    window = frame.window
    since = f"&since={window.seconds // 3600}h"
    ended = {
        State.SUCCEEDED: window.succeeded,
        State.FAILED: window.failed,
        State.LOST: window.lost,
    }
    return PoolStrip(
        present=tuple(_tasks("counts", state, frame.counts.get(state, 0)) for state in _PRESENT),
        ended=tuple(_tasks("window", state, number, since) for state, number in ended.items()),
        incidents=_incidents(frame.incidents),
        elapsed=frame.oldest_wait,
        oldest_wait=formats.duration(frame.oldest_wait),
        window=_("in the last hour"),
    )


def _tasks(group: str, state: State, value: int, more: str = "") -> Number:
    return Number(
        field=f"{group}.{state}",
        label=_("ok") if state is State.SUCCEEDED else state_word(state),
        value=formats.count(value),
        href=f"/tasks?state={state}{more}",
        mark=state,
        is_zero=value == 0,
    )


def _incidents(value: int) -> Number:
    return Number(
        field="incidents",
        label=_("incidents"),
        value=formats.count(value),
        href="/incidents",
        mark="crashed",
        is_zero=value == 0,
    )

"""The states that a task has been in, how long in each, and how often it began again."""

from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.task.times import ran, waited
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _

_MAIN: Final = (State.SCHEDULED, State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class JourneyStop:
    """A state on the way: `words` say how long or when.

    `elapsed` counts on, in seconds; of `at` (microseconds since the epoch) they say how far it is.
    One that is not taken still lies ahead.
    """

    state: State
    is_taken: bool
    is_present: bool
    words: str = ""
    elapsed: float | None = None
    at: int | None = None


@dataclass(frozen=True)
class Journey:
    """The states of the present attempt, taken and still ahead; and how many came before it."""

    stops: tuple[JourneyStop, ...]
    earlier: int

    @property
    def taken(self) -> tuple[State, ...]:
        return tuple(stop.state for stop in self.stops if stop.is_taken)


def journey(task: StoredTask, earlier: int, now: int) -> Journey:
    """Return the way of a task that has `earlier` attempts behind it, at the time `now`."""
    taken = _taken(task)
    counting = {State.QUEUED: waited(task, now), State.RUNNING: ran(task, now)}
    words = {state: _duration(seconds) for state, seconds in counting.items()}
    words[State.SCHEDULED] = _scheduled(task, earlier, now)
    moment = task.run_at if task.state is State.SCHEDULED else task.finished_at
    if task.state in FINAL:
        words[task.state] = formats.ago(task.finished_at, now)
    stops = (
        JourneyStop(
            state,
            is_taken=state in taken,
            is_present=state is task.state,
            words=words.get(state, "") if state in taken else "",
            elapsed=counting.get(state) if state is task.state else None,
            at=moment if state is task.state and state not in counting else None,
        )
        for state in (*_MAIN, *sorted(FINAL))
        if state in taken or _lies_ahead(state, task.state)
    )
    return Journey(tuple(stops), earlier)


def _lies_ahead(state: State, present: State) -> bool:
    return present in _MAIN and state in _MAIN[_MAIN.index(present) + 1 :]


def _taken(task: StoredTask) -> frozenset[State]:
    taken = {task.state}
    if task.run_at is not None or task.is_unreleased:
        taken.add(State.SCHEDULED)
    if task.state is not State.SCHEDULED and not _ended_while_scheduled(task):
        taken.add(State.QUEUED)
    if task.started_at is not None:
        taken.add(State.RUNNING)
    return frozenset(taken)


def _ended_while_scheduled(task: StoredTask) -> bool:
    if task.is_unreleased:
        return True
    return bool(task.finished_at and task.run_at and task.finished_at < task.run_at)


def _scheduled(task: StoredTask, earlier: int, now: int) -> str:
    """Return when it is due; afterwards how long it waited, if its submission set the time."""
    if task.state is State.SCHEDULED:
        return _("for other tasks") if task.run_at is None else formats.ago(task.run_at, now)
    if task.run_at is None or earlier:
        return ""
    end = min(task.run_at, task.finished_at or task.run_at)
    return formats.duration(seconds(end - task.created_at))


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else formats.duration(seconds)

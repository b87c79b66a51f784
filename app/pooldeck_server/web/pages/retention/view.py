"""The page of retention: the rules, what goes by them, and the room that the database takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import gmtime, strftime
from typing import Final

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.deletions import BulkDeletion, DeletionState
from pooldeck_server.domain.retention import DAY, FileRoom, KeptRules
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.pages.retention.form import values_of
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.refusal import FormRefusal
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.retention import days_words

_DELETIONS: Final = {
    DeletionState.RUNNING: later("It goes on, also if you leave this page."),
    DeletionState.DONE: later("It is done."),
    DeletionState.STOPPED: later("It was stopped: what is left is still there."),
    DeletionState.FAILED: later("It failed: what is left is still there."),
}
_STATES: Final = tuple(state for state in State if state in FINAL)


@dataclass(frozen=True)
class StateRow:
    """The tasks in a final state: how many are kept, and go when."""

    state: State
    number: int
    days: str
    old: int
    soon: int


@dataclass(frozen=True)
class DayRow:
    """What the database held on a day."""

    day: str
    used_bytes: int
    tasks: int


@dataclass(frozen=True)
class DeletionShown:
    """The latest deletion by hand: how far it is, and what became of how many tasks, in words."""

    deletion: BulkDeletion
    words: str
    parts: tuple[str, ...]

    @property
    def is_running(self) -> bool:
        return self.deletion.state is DeletionState.RUNNING


@dataclass(frozen=True)
class RetentionView(Page):
    """How long tasks are kept. `refusal` says what was wrong with the form that was sent."""

    template = "retention/page.html"
    section = "tasks"
    flashes = FLASHES["retention"]

    kept: KeptRules
    asks: bool
    days_ahead: int | None  # of the clock, where it is doubted
    states: Sequence[StateRow]
    too_old: int
    values: Mapping[str, str]
    refusal: FormRefusal | None
    pins: int
    deleted: int
    last_at: int | None
    room: FileRoom
    wal_bytes: int
    growth: str
    disk_free: str
    is_low: bool
    days: Sequence[DayRow]
    deletion: DeletionShown | None


def retention_view(
    server: Server,
    upcoming: Mapping[State, tuple[int, int]],
    pins: int,
    *,
    values: Mapping[str, str] | None = None,
    refusal: FormRefusal | None = None,
) -> RetentionView:
    """Return the page.

    Args:
        server: The server.
        upcoming: Of each final state, how many tasks are too old, and are so within a week.
        pins: How many tasks somebody keeps.
        values: The texts of a form that could not be read; None: those of the rules.
        refusal: What was wrong with it.
    """
    retention, storage = server.retention, server.storage
    counts, leap = server.counts.counts(), retention.vouched.leap
    rows = [
        StateRow(state, counts[state], days_words(retention.rules, state), *upcoming[state])
        for state in _STATES
    ]
    return RetentionView(
        kept=retention.kept,
        asks=retention.waits_for_a_word,
        days_ahead=None if leap is None else max(1, (leap.to - leap.since) // DAY),
        states=rows,
        too_old=sum(row.old for row in rows),
        values=values or values_of(retention.rules),
        refusal=refusal,
        pins=pins,
        deleted=retention.deleting.ends.total(),
        last_at=retention.last_at,
        room=storage.room,
        wal_bytes=server.database.wal_bytes,
        growth=_growth(storage.growth_per_day),
        disk_free=formats.size(storage.disk_free_bytes),
        is_low=storage.is_low,
        days=[
            DayRow(
                strftime("%Y-%m-%d", gmtime(each.day * DAY // SECOND)), each.used_bytes, each.tasks
            )
            for each in reversed(storage.days)
        ],
        deletion=None if server.deletions.latest is None else _shown(server.deletions.latest),
    )


def _shown(deletion: BulkDeletion) -> DeletionShown:
    words, outcomes = FLASHES["tasks"], deletion.outcomes
    return DeletionShown(
        deletion,
        _(_DELETIONS[deletion.state]),
        tuple(
            _(words[name], number=formats.count(number))
            for name, number in outcomes.items()
            if name in words
        ),
    )


def _growth(growth: float | None) -> str:
    if growth is None:
        return _("not known yet")
    sign = "-" if growth < 0 else "+"
    return _("%(size)s a day", size=sign + formats.size(int(abs(growth))))

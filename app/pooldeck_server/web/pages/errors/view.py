"""Groups of errors: the list, and one of them with its latest error and tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from pooldeck.outcome import Error
from pooldeck_server.domain.failures.error_groups import (
    CHANGES,
    LATELY,
    GroupChange,
    GroupFilter,
    GroupReport,
    GroupSort,
    GroupState,
)
from pooldeck_server.domain.failures.group_titles import group_title
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.errors.data import (
    DAYS,
    MOST_RETRYABLE,
    ErrorGroupData,
    ErrorsData,
)
from pooldeck_server.web.pages.shared.address import address, further
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.pages.shared.tracebacks import causes
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext

_DAY: Final = 24  # hours
_BAR_WIDTH: Final = 4
_BAR_GAP: Final = 1
_VIEWS: Final[dict[str, tuple[str, tuple[GroupState, ...]]]] = {
    "": (later("to look at"), (GroupState.OPEN, GroupState.RETURNED)),
    "muted": (later("muted"), (GroupState.MUTED,)),
    "fixed": (later("fixed"), (GroupState.FIXED,)),
    "all": (later("all"), tuple(GroupState)),
}
_STATES: Final = {
    GroupState.OPEN: later("open"),
    GroupState.RETURNED: later("returned"),
    GroupState.MUTED: later("muted"),
    GroupState.FIXED: later("fixed"),
}
_LABELS: Final = {
    GroupChange.FIX: later("Mark as fixed"),
    GroupChange.MUTE: later("Mute"),
    GroupChange.UNMUTE: later("Unmute"),
    GroupChange.REOPEN: later("Reopen"),
}


@dataclass(frozen=True)
class HourlyBars:
    """Failures by hour as bars: the `path` of a drawing of `width` by `height`, and in words."""

    path: str
    width: int
    height: int
    words: str
    total: int
    most: int


@dataclass(frozen=True)
class GroupRow:
    """A group as it is listed; `title` is its message, masked where messages of it differ."""

    report: GroupReport
    title: str
    state: str
    hours: HourlyBars
    changes: tuple[tuple[GroupChange, str], ...]


class ErrorsQuery(Struct, frozen=True):
    """What the address of the list asks for; `name` is that of a set of states."""

    name: str = ""
    function: str = ""
    sort: GroupSort = GroupSort.SEEN

    @classmethod
    def of(cls, query: QueryParams) -> "ErrorsQuery":
        name, sort = query.get("state") or "", query.get("sort") or ""
        return cls(
            name if name in _VIEWS else "",
            query.get("function") or "",
            GroupSort(sort) if sort in set(GroupSort) else GroupSort.SEEN,
        )

    def filter(self) -> GroupFilter:
        functions = (self.function,) if self.function else ()
        return GroupFilter(_VIEWS[self.name][1], functions, sort=self.sort)

    def pairs(self) -> list[tuple[str, str]]:
        given = {"state": self.name, "function": self.function}
        if self.sort is not GroupSort.SEEN:
            given["sort"] = self.sort
        return [(name, value) for name, value in given.items() if value]

    def href(self, **changes: Any) -> str:
        return address("/errors", msgspec.structs.replace(self, **changes).pairs())


@dataclass(frozen=True)
class ErrorsView(Page):
    """The groups of errors that fit."""

    template = "errors/page.html"
    section = "errors"
    flashes = FLASHES["errors"]

    view: ErrorsQuery
    rows: tuple[GroupRow, ...]
    chips: tuple[Choice, ...]
    functions: Sequence[str]
    is_first: bool
    has_any: bool
    older_href: str | None


@dataclass(frozen=True)
class ErrorGroupView(Page):
    """A group of errors; `causes` are its latest error and what caused that, outermost first.

    `incident` is the death of a worker that was behind it, None where there was none, or is none.
    """

    template = "errors/group.html"
    section = "errors"
    flashes = FLASHES["errors"]

    row: GroupRow
    hours: HourlyBars
    days: Sequence[int]
    causes: tuple[Error, ...]
    incident: StoredIncident | None
    tasks: Sequence[StoredTask]
    gone: Mapping[str, int | None]
    retry: str | None


def errors_view(
    view: ErrorsQuery, read: ErrorsData, functions: Sequence[str], *, is_first: bool
) -> ErrorsView:
    return ErrorsView(
        view=view,
        rows=tuple(
            _row(report, read.messages.get(report.group.id, ())) for report in read.page.items
        ),
        chips=tuple(_chips(view, read.counts)),
        functions=sorted({*functions, *filter(None, [view.function])}),
        is_first=is_first,
        has_any=any(read.counts.values()),
        older_href=further("/errors", view.pairs(), read.page.next_cursor),
    )


def _chips(view: ErrorsQuery, counts: Mapping[GroupState, int]) -> Iterator[Choice]:
    for name, (label, states) in _VIEWS.items():
        number = formats.count(sum(counts.get(state, 0) for state in states))
        yield Choice(_(label), view.href(name=name), name == view.name, number)


def _row(report: GroupReport, messages: Sequence[str] = ()) -> GroupRow:
    return GroupRow(
        report=report,
        title=group_title(report.group.message, messages),
        state=_(_STATES[report.group.state]),
        hours=hourly_bars(report.hours, 24),
        changes=tuple(
            (change, _(label))
            for change, label in _LABELS.items()
            if report.group.state in CHANGES[change][0]
        ),
    )


def error_group_view(read: ErrorGroupData) -> ErrorGroupView:
    group, report = read.report.group, read.report
    attempt = _latest(read.attempts, group.id)
    return ErrorGroupView(
        row=_row(msgspec.structs.replace(report, hours=report.hours[-LATELY:]), read.messages),
        hours=hourly_bars(report.hours, 64),
        days=range(DAYS, 0, -1),
        causes=causes(attempt.error) if attempt else (),
        incident=read.incident,
        tasks=read.tasks,
        gone=read.gone,
        retry=_retry_words(read.retryable),
    )


def _latest(attempts: Sequence[StoredAttempt], group_id: str) -> StoredAttempt | None:
    alike = (each for each in reversed(attempts) if each.error_group == group_id)
    return next(alike, None)


def _retry_words(number: int) -> str | None:
    if number >= MOST_RETRYABLE:
        return _("Retry over %(n)s tasks", n=formats.count(MOST_RETRYABLE - 1))
    return ngettext("Retry %(num)s task", "Retry %(num)s tasks", number) if number else None


def hourly_bars(hours: Sequence[int], height: int) -> HourlyBars:
    """Return failures by hour as bars of at most `height`; an hour with any has one to be seen."""
    most = max(hours, default=0)
    bars = []
    for place, number in enumerate(hours):
        if number:
            tall = max(2, round(height * number / most))
            left = place * (_BAR_WIDTH + _BAR_GAP)
            bars.append(f"M{left},{height}v-{tall}h{_BAR_WIDTH}v{tall}z")
    width = len(hours) * (_BAR_WIDTH + _BAR_GAP) - _BAR_GAP
    return HourlyBars("".join(bars), width, height, _words(hours), sum(hours), most)


def _words(hours: Sequence[int]) -> str:
    total, days = sum(hours), len(hours) // _DAY
    if days == 1:
        return ngettext("%(num)s failure in 24 h", "%(num)s failures in 24 h", total)
    return ngettext(
        "%(num)s failure in %(days)s days", "%(num)s failures in %(days)s days", total, days=days
    )

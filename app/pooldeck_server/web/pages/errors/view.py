"""Groups of errors: the list, and one of them with its latest error and tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck.outcome import Error
from pooldeck_server.domain.failures.error_groups import (
    CHANGES,
    LATELY,
    GroupChange,
    GroupFilter,
    GroupPage,
    GroupReport,
    GroupSort,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.errors.hourly import Spark, spark
from pooldeck_server.web.pages.tasks.address import TaskListQuery, address
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext

PAGE_SIZE: Final = 50
DAYS: Final = 7
"""How far back the page of a group looks."""

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
FLASHES: Final[dict[str, str]] = {
    GroupChange.FIX: later(
        "It is marked as fixed. If a task that starts from now on fails so, every page says that "
        "it has returned."
    ),
    GroupChange.MUTE: later("It is muted: counted, but listed apart."),
    GroupChange.UNMUTE: later("It is not muted any more."),
    GroupChange.REOPEN: later("It is open again."),
}
"""What the pages say of what was just decided."""


@dataclass(frozen=True)
class Chip:
    """A choice that following `href` makes."""

    label: str
    count: str
    is_chosen: bool
    href: str


@dataclass(frozen=True)
class GroupRow:
    """A group as it is listed."""

    group: StoredErrorGroup
    state: str
    spark: Spark
    functions: tuple[str, ...]
    changes: tuple[tuple[GroupChange, str], ...]


class ErrorsView(Struct, frozen=True):
    """What the address of the list asks for."""

    name: str = ""
    function: str = ""
    sort: GroupSort = GroupSort.SEEN

    @classmethod
    def of(cls, query: TaskListQuery) -> "ErrorsView":
        """Return the view that the parameters of an address or a form ask for."""
        name, sort = query.get("state") or "", query.get("sort") or ""
        return cls(
            name if name in _VIEWS else "",
            query.get("function") or "",
            GroupSort(sort) if sort in set(GroupSort) else GroupSort.SEEN,
        )

    def filter(self) -> GroupFilter:
        """Return what the store looks for."""
        functions = (self.function,) if self.function else ()
        return GroupFilter(_VIEWS[self.name][1], functions, sort=self.sort)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters that `of` reads."""
        given = {"state": self.name, "function": self.function}
        if self.sort is not GroupSort.SEEN:
            given["sort"] = self.sort
        return [(name, value) for name, value in given.items() if value]

    def href(self, **changes: Any) -> str:
        """Return the address of the list with something changed."""
        return address("/errors", msgspec.structs.replace(self, **changes).pairs())


class ErrorGroupData(Struct, frozen=True):
    """What was read of a group: `retryable` tasks ended with it, up to a bound."""

    report: GroupReport
    attempts: Sequence[StoredAttempt]  # of its last task
    tasks: Sequence[StoredTask]
    retryable: int


def errors_context(
    view: ErrorsView,
    page: GroupPage,
    counts: Mapping[GroupState, int],
    functions: Sequence[str],
    *,
    is_first: bool,
) -> dict[str, Any]:
    """Return what the list of groups shows.

    Args:
        view: What was asked for.
        page: What was found.
        counts: How many groups there are in each state.
        functions: Names to choose from.
        is_first: Whether this is the first page.
    """
    older = page.next_cursor
    return {
        "view": view,
        "rows": tuple(_row(report) for report in page.items),
        "chips": tuple(_chips(view, counts)),
        "functions": sorted({*functions, *filter(None, [view.function])}),
        "is_first": is_first,
        "has_any": any(counts.values()),
        "older_href": address("/errors", [*view.pairs(), ("cursor", older)]) if older else None,
    }


def _chips(view: ErrorsView, counts: Mapping[GroupState, int]) -> Iterator[Chip]:
    for name, (label, states) in _VIEWS.items():
        number = formats.count(sum(counts.get(state, 0) for state in states))
        yield Chip(_(label), number, name == view.name, view.href(name=name))


def _row(report: GroupReport) -> GroupRow:
    return GroupRow(
        group=report.group,
        state=_(_STATES[report.group.state]),
        spark=spark(report.hours, 24),
        functions=tuple(each.function for each in report.functions),
        changes=changes(report.group.state),
    )


def changes(state: GroupState) -> tuple[tuple[GroupChange, str], ...]:
    """Return what can be decided about a group in `state`, each with the words of its button."""
    return tuple(
        (change, _(label)) for change, label in _LABELS.items() if state in CHANGES[change][0]
    )


def error_group_context(read: ErrorGroupData, most_retryable: int) -> dict[str, Any]:
    """Return what the page of one group shows.

    Args:
        read: What was read of it.
        most_retryable: The bound of `read.retryable`.
    """
    group, report = read.report.group, read.report
    attempt = _latest(read.attempts, group.id)
    return {
        "row": _row(msgspec.structs.replace(report, hours=report.hours[-LATELY:])),
        "spark": spark(report.hours, 64),
        "days": range(DAYS, 0, -1),
        "functions": report.functions,
        "attempt": attempt,
        "causes": _causes(attempt.error) if attempt else (),
        "tasks": read.tasks,
        "retry": _retry_words(read.retryable, most_retryable),
        "tasks_href": address("/tasks", [("group", group.id)]),
        "retry_href": address("/tasks/retry", [("group", group.id)]),
    }


def _latest(attempts: Sequence[StoredAttempt], group_id: str) -> StoredAttempt | None:
    alike = (each for each in reversed(attempts) if each.error_group == group_id)
    return next(alike, None)


def _causes(text: str | None) -> tuple[Error, ...]:
    """Return an error and what caused it, outermost first."""
    chain: list[Error] = []
    error = msgspec.json.decode(text, type=Error) if text else None
    while error is not None:
        chain.append(error)
        error = error.cause
    return tuple(chain)


def _retry_words(number: int, most: int) -> str | None:
    if number >= most:
        return _("Retry over %(n)s tasks", n=formats.count(most - 1))
    return ngettext("Retry %(num)s task", "Retry %(num)s tasks", number) if number else None

"""The list of tasks: its chips, its orders, its links, and how many tasks there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace
from starlette.datastructures import QueryParams

from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.tasks.filter import Sort, StateCounts, TaskFilter, TaskPage, Total
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.domain.tasks.waiting import TaskWait
from pooldeck_server.web.pages.shared.address import address, length_of
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.flash import FLASHES, flash_of_many
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.pages.shared.snippets import Snippets
from pooldeck_server.web.pages.tasks.address import PLAIN, TaskListQuery, asked, href, pairs
from pooldeck_server.web.pages.tasks.columns import COLUMNS, USUAL, ColumnChoice, choices
from pooldeck_server.web.pages.tasks.data import TaskListData
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.states import state_word
from pooldeck_server.web.text.waiting import waiting_short

EXPORT: Final = "/api/v1/tasks/export"
NO_WAITS: Final[Mapping[str, TaskWait]] = {}
_LABELS: Final = {
    "functions": later("function"),
    "pools": later("pool"),
    "tags": later("tag"),
    "errors": later("error"),
    "groups": later("error group"),
    "pipelines": later("pipeline"),
}
_SORTS: Final = {
    Sort.CREATED: later("Newest"),
    Sort.FINISHED: later("Ended last"),
    Sort.RUN: later("Longest run"),
}
_WITHIN: Final = {
    900: later("last 15 min"),
    3600: later("last hour"),
    24 * 3600: later("last 24 h"),
}
"""The choices of a time, by their seconds."""

_EXPORTS: Final = (("csv", later("CSV")), ("jsonl", later("JSON lines")))
_PRESETS: Final = (
    (later("All tasks"), TaskListQuery()),
    (later("Running"), TaskListQuery(TaskFilter((State.RUNNING,)))),
    (
        later("Failed or lost, 24 h"),
        TaskListQuery(TaskFilter((State.FAILED, State.LOST)), within=24 * 3600),
    ),
    (later("Longest runs"), TaskListQuery(sort=Sort.RUN)),
)


@dataclass(frozen=True)
class Narrowing:
    """A condition that narrows the list; following `href` takes it out."""

    label: str
    value: str
    href: str


@dataclass(frozen=True)
class TasksView(Page):
    """The tasks that fit, and the choices that change which do and in what order.

    `refresh` is when it is to be loaded anew. `problem` is what is wrong with what was `typed` into
    the search, or with another condition: nothing is listed then.
    """

    template = "tasks/page.html"
    section = "tasks"

    view: TaskListQuery
    problem: str
    typed: str
    columns: tuple[str, ...]
    labels: Mapping[str, str]
    column_choices: tuple[ColumnChoice, ...]
    page: TaskPage
    total: str
    not_indexed: int
    presets: tuple[Choice, ...]
    chips: tuple[Choice, ...]
    narrowings: tuple[Narrowing, ...]
    choices: Mapping[str, Sequence[str]]
    within: tuple[tuple[str, str, bool], ...]
    since: str
    until: str
    sorts: tuple[Choice, ...]
    is_first: bool
    has_any: bool
    refresh: str
    first_href: str
    older_href: str | None
    cancel_href: str | None
    retry_href: str | None
    delete_href: str | None
    exports: tuple[tuple[str, str], ...]
    columns_back: str
    snippets: tuple[Snippets, ...]
    waits: Mapping[str, str]  # why tasks wait, in a few words, by their ids

    def flash(self, query: QueryParams) -> str | None:
        return flash_of_many(query, FLASHES["tasks"])


def tasks_view(
    view: TaskListQuery,
    read: TaskListData,
    names: Mapping[str, Sequence[str]],
    *,
    is_first: bool,
    columns: tuple[str, ...] = USUAL,
    now: int = 0,
    problem: str = "",
    typed: str | None = None,
    snippets: tuple[Snippets, ...] = (),
    waits: Mapping[str, TaskWait] = NO_WAITS,
) -> TasksView:
    older = read.page.next_cursor
    has_some = bool(read.total.number or older) and not problem
    shown = _with_order(view.columns or columns, view.sort)
    return TasksView(
        view=view,
        problem=problem,
        typed=(view.wanted.text or "") if typed is None else typed,
        columns=shown,
        labels={name: _(label) for name, label in COLUMNS.items()},
        column_choices=choices(shown),
        page=read.page,
        total=total_words(read.total),
        not_indexed=read.not_indexed,
        presets=tuple(_choice(_(label), preset, view) for label, preset in _PRESETS),
        chips=tuple(_chips(view, read)),
        narrowings=tuple(_narrowings(view)),
        choices=names,
        within=tuple(
            (length_of(each), _last(each), each == view.within) for each in _withins(view)
        ),
        since=formats.in_field(view.wanted.since),
        until=formats.in_field(view.wanted.until),
        sorts=tuple(
            _choice(_(label), replace(view, sort=sort), view) for sort, label in _SORTS.items()
        ),
        is_first=is_first,
        has_any=any(count.n for count in read.counts),
        refresh=_refresh(read.page, is_first=is_first),
        first_href=href(view),
        older_href=href(view, cursor=older) if older else None,
        cancel_href=_change_href("cancel", view, LIVE) if has_some else None,
        retry_href=_change_href("retry", view, FINAL) if has_some else None,
        delete_href=_change_href("delete", view, FINAL) if has_some else None,
        exports=tuple((_(label), _export_href(view, now, name)) for name, label in _EXPORTS),
        columns_back=href(replace(view, columns=())),
        snippets=snippets,
        waits={task_id: waiting_short(each) for task_id, each in waits.items()},
    )


def _with_order(columns: tuple[str, ...], sort: Sort) -> tuple[str, ...]:
    """Return the columns with that of the order; the time of the end stands for the other time."""
    if sort is not Sort.FINISHED or "ended" in columns:
        return columns
    if "created" in columns:
        return tuple("ended" if name == "created" else name for name in columns)
    return (*columns, "ended")


def conditions(wanted: TaskFilter) -> tuple[tuple[str, str], ...]:
    states = [(_("state"), state_word(state)) for state in wanted.states]
    others = [(each.label, each.value) for each in _narrowings(TaskListQuery(wanted))]
    return (*states, *others)


def total_words(total: Total) -> str:
    """Return how many tasks there are, in words: "1,000+ tasks" where more may be found."""
    if total.is_exact:
        return ngettext("%(num)s task", "%(num)s tasks", total.number)
    return _("%(number)s+ tasks", number=formats.count(total.number))


def _choice(label: str, there: TaskListQuery, here: TaskListQuery) -> Choice:
    return Choice(label, href(there), is_chosen=href(there) == href(here))


def _chips(view: TaskListQuery, read: TaskListData) -> Iterable[Choice]:
    """Yield a chip for each state, with how many tasks have it under the other filters."""
    found = read.states or StateCounts(_numbers(view, read.counts), is_exact=True)
    chosen = view.wanted.states
    for state in State:
        others = tuple(other for other in chosen if other is not state)
        states = others if state in chosen else (*chosen, state)
        yield Choice(
            state, href(view.but(states=states)), state in chosen, _number_words(found, state)
        )


def _number_words(found: StateCounts, state: State) -> str | None:
    """Return how many there are; where more may be, only what was found is told."""
    number = found.numbers.get(state, 0)
    if found.is_exact:
        return formats.count(number)
    return f"{formats.count(number)}+" if number else None


def _numbers(view: TaskListQuery, counts: Sequence[Count]) -> dict[State, int]:
    """Return how many tasks each state has under the filters that counters know."""
    wanted = view.wanted
    found: dict[State, int] = {}
    for each in counts:
        if _fits(each.function, wanted.functions) and _fits(each.pool, wanted.pools):
            found[each.state] = found.get(each.state, 0) + each.n
    return found


def _fits(value: str, allowed: Sequence[str]) -> bool:
    return not allowed or value in allowed


def _narrowings(view: TaskListQuery) -> Iterable[Narrowing]:
    for field in PLAIN:
        values = getattr(view.wanted, field)
        for value in values:
            rest = tuple(other for other in values if other != value)
            yield Narrowing(_(_LABELS[field]), value, href(view.but(**{field: rest})))
    if view.within is not None:
        yield Narrowing(_("submitted"), _last(view.within), href(replace(view, within=None)))
    for name, label in (("since", _("from")), ("until", _("until"))):
        if (at := getattr(view.wanted, name)) is not None:
            yield Narrowing(label, formats.moment(at), href(view.but(**{name: None})))
    if view.wanted.text:
        yield Narrowing(_("text"), view.wanted.text, href(view.but(text=None)))


def _withins(view: TaskListQuery) -> Sequence[int]:
    return sorted({*_WITHIN, *([] if view.within is None else [view.within])})


def _last(seconds: int) -> str:
    if seconds in _WITHIN:
        return _(_WITHIN[seconds])
    return _("last %(time)s", time=formats.duration(seconds))


def _refresh(page: TaskPage, *, is_first: bool) -> str:
    """Return when the page is to be loaded anew: progress is told by no change of a state."""
    if not is_first:
        return "never"
    in_progress = any(
        task.state is State.RUNNING and task.progress_fraction is not None for task in page.items
    )
    return "always" if in_progress else "changes"


def _change_href(change: str, view: TaskListQuery, states: frozenset[State]) -> str | None:
    """Return where a change of all that match is asked for; None where none can be in `states`."""
    if not states.intersection(view.wanted.states or State):
        return None
    return address(f"/tasks/{change}", asked(view))


def _export_href(view: TaskListQuery, now: int, format_: str) -> str:
    """Return where all that match are had as a file, in the order of the list."""
    sort = [] if view.sort is Sort.CREATED else [("sort", view.sort.value)]
    return address(EXPORT, [("format", format_), *pairs(view.filter(now)), *sort])

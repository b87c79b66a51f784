"""The list of tasks: its chips, its orders, its links, and how many tasks there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace
from starlette.datastructures import QueryParams

from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.tasks.filter import Sort, TaskFilter, TaskPage, Total
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.domain.tasks.waiting import TaskWait
from pooldeck_server.web.pages.shared.address import address, length_of
from pooldeck_server.web.pages.shared.choices import Choice
from pooldeck_server.web.pages.shared.flash import FLASHES, flash_of_many
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.pages.shared.snippets import Snippets
from pooldeck_server.web.pages.tasks.address import PLAIN, TaskListQuery, asked, href
from pooldeck_server.web.pages.tasks.data import TaskListData
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.states import state_word
from pooldeck_server.web.text.waiting import waiting_short

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

    `refresh` is when it is to be loaded anew.
    """

    template = "tasks/page.html"
    section = "tasks"

    view: TaskListQuery
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
    snippets: tuple[Snippets, ...]
    waits: Mapping[str, str]  # why tasks wait, in a few words, by their ids

    def flash(self, query: QueryParams) -> str | None:
        return flash_of_many(query, FLASHES["tasks"])


def tasks_view(
    view: TaskListQuery,
    read: TaskListData,
    choices: Mapping[str, Sequence[str]],
    *,
    is_first: bool,
    snippets: tuple[Snippets, ...] = (),
    waits: Mapping[str, TaskWait] = NO_WAITS,
) -> TasksView:
    older = read.page.next_cursor
    return TasksView(
        view=view,
        page=read.page,
        total=total_words(read.total),
        not_indexed=read.not_indexed,
        presets=tuple(_choice(_(label), preset, view) for label, preset in _PRESETS),
        chips=tuple(_chips(view, read.counts)),
        narrowings=tuple(_narrowings(view)),
        choices=choices,
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
        cancel_href=_change_href("cancel", view, LIVE),
        retry_href=_change_href("retry", view, FINAL),
        delete_href=_change_href("delete", view, FINAL),
        snippets=snippets,
        waits={task_id: waiting_short(each) for task_id, each in waits.items()},
    )


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


def _chips(view: TaskListQuery, counts: Sequence[Count]) -> Iterable[Choice]:
    """Yield a chip for each state, with its number where the counters know it."""
    numbers = _numbers(view, counts)
    chosen = view.wanted.states
    for state in State:
        others = tuple(other for other in chosen if other is not state)
        states = others if state in chosen else (*chosen, state)
        count = None if numbers is None else formats.count(numbers.get(state, 0))
        yield Choice(state, href(view.but(states=states)), state in chosen, count)


def _numbers(view: TaskListQuery, counts: Sequence[Count]) -> dict[State, int] | None:
    """Return how many tasks each state has under the other filters; None if no counter tells."""
    wanted = view.wanted
    counted = TaskFilter(wanted.states, wanted.functions, wanted.pools)
    if wanted != counted or view.within is not None:
        return None
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

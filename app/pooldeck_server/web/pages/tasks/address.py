"""The address of the list of tasks, read and written."""

import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import QueryParams

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.filter import MAX_TEXT, PARAMETERS, Sort, TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.shared.address import address, length_of, read_time, seconds_of
from pooldeck_server.web.pages.tasks.columns import as_text, columns_of
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.zones import UTC_NAME

PLAIN: Final = {
    field: parameter for field, parameter in PARAMETERS.items() if field not in {"states", "text"}
}
"""The fields of a filter that hold texts, with the parameters of an address that give them."""

_LONGEST: Final = 40  # characters of a wrong name that are said again
_KEYS: Final = ("state", *PLAIN.values())
_KEYED: Final = re.compile(rf'(?<!\S)({"|".join(_KEYS)}):(?:"([^"]+)"|([^\s"]+))(?!\S)')


class TaskListQuery(Struct, frozen=True):
    """What a list shows, and in which order.

    `within` narrows `wanted` to what was submitted so many seconds ago at most: an address with it
    goes on meaning the latest. `columns` are those that the address names, if it names any.
    """

    wanted: TaskFilter = TaskFilter()
    within: int | None = None
    sort: Sort = Sort.CREATED
    columns: tuple[str, ...] = ()

    def filter(self, now: int) -> TaskFilter:
        if self.within is None:
            return self.wanted
        return replace(self.wanted, since=now - self.within * SECOND)

    def but(self, **fields: Any) -> "TaskListQuery":
        return replace(self, wanted=replace(self.wanted, **fields))

    def only(self, **fields: Any) -> str:
        """Return the address of the same list with nothing but `fields` in their places."""
        return href(self.but(**fields))


def read_view(query: QueryParams) -> TaskListQuery:
    """Return what the parameters of the list's address ask for.

    Words such as `state:failed` in the text that is searched for mean the parameter.

    Raises:
        InvalidRequest: If a state, a time or an order is none.
    """
    typed, text = _keyed(searched(query))
    within = _within(query)

    def given(parameter: str) -> tuple[str, ...]:
        values = query.getlist(parameter) + [value for key, value in typed if key == parameter]
        return tuple(dict.fromkeys(value for value in values if value))

    wanted = TaskFilter(
        states=tuple(_state(name) for name in given("state")),
        **{field: given(parameter) for field, parameter in PLAIN.items()},
        text=text[:MAX_TEXT] or None,
        since=None if within else _moment(query, "since"),
        until=_moment(query, "until"),
    )
    return TaskListQuery(wanted, within, _sort(query), columns_of(query.get("columns") or ""))


def has_keyed_words(query: QueryParams) -> bool:
    return _KEYED.search(searched(query)) is not None


def searched(query: QueryParams) -> str:
    """Return the text that is searched for, by its name here or by that of the command line."""
    return query.get("q") or query.get("search") or ""


def read_filter(query: QueryParams, now: int) -> TaskFilter:
    """Return which tasks parameters mean at the time `now`; raises as `read_view`."""
    return read_view(query).filter(now)


def href(view: TaskListQuery, cursor: str | None = None) -> str:
    sort = [] if view.sort is Sort.CREATED else [("sort", view.sort.value)]
    columns = [("columns", as_text(view.columns))] if view.columns else []
    at = [] if cursor is None else [("cursor", cursor)]
    return address("/tasks", [*asked(view), *sort, *columns, *at])


def asked(view: TaskListQuery) -> list[tuple[str, str]]:
    within = [] if view.within is None else [("since", length_of(view.within))]
    return [*pairs(view.wanted), *within]


def pairs(wanted: TaskFilter) -> list[tuple[str, str]]:
    """Return the parameters of an address or a form that are read as `wanted`."""
    found = [("state", state.value) for state in wanted.states]
    for field, parameter in PLAIN.items():
        found += [(parameter, value) for value in getattr(wanted, field)]
    times = (("since", wanted.since), ("until", wanted.until))
    found += [(name, formats.iso(at)) for name, at in times if at is not None]
    return [*found, ("q", wanted.text)] if wanted.text else found


def _keyed(text: str) -> tuple[Iterable[tuple[str, str]], str]:
    """Return the words of a text that mean parameters, and the rest of it."""
    found = [(key, quoted or plain) for key, quoted, plain in _KEYED.findall(text)]
    return found, " ".join(_KEYED.sub(" ", text).split()) if found else text.strip()


def _state(name: str) -> State:
    if name in set(State):
        return State(name)
    raise InvalidRequest(f'there is no state "{name[:_LONGEST]}"; there are: {", ".join(State)}')


def _sort(query: QueryParams) -> Sort:
    name = query.get("sort") or Sort.CREATED
    if name in set(Sort):
        return Sort(name)
    raise InvalidRequest(f'a list is not sorted by "{name}", but by: {", ".join(Sort)}')


def _moment(query: QueryParams, name: str) -> int | None:
    text = (query.get(name) or "").strip()
    zone = query.get("zone") or UTC_NAME
    return read_time(name, text, "2026-11-30T09:00 or 24h", zone) if text else None


def _within(query: QueryParams) -> int | None:
    """Return how many seconds before now the time begins, if it is given so: "15m", "24h"."""
    return seconds_of(query.get("within")) or seconds_of(query.get("since"))

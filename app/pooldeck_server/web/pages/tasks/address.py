"""What a list of tasks is asked for: its address, read and written."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from pooldeck_server.domain.clock import SECOND, micros
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.filter import MAX_TEXT, PARAMETERS, Sort, TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.text import formats

PLAIN: Final = {
    field: parameter for field, parameter in PARAMETERS.items() if field not in {"states", "text"}
}
"""The fields of a filter that hold texts, with the parameters of an address that give them."""

_KEYS: Final = ("state", *PLAIN.values())
_KEYED: Final = re.compile(rf'(?<!\S)({"|".join(_KEYS)}):(?:"([^"]+)"|([^\s"]+))(?!\S)')
_BEFORE_NOW: Final = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS: Final = {"d": 24 * 3600, "h": 3600, "m": 60}  # seconds


LATEST: Final = 10**16
"""Microseconds since the epoch: the year 2286, the end of what addresses name."""


class TaskListQuery(Protocol):
    """The part of a request's query parameters that is used here."""

    def get(self, key: str, /) -> str | None:
        """Return the last value of `key`, None where there is none."""

    def getlist(self, key: str, /) -> list[str]:
        """Return all values of `key`."""


class TaskListView(Struct, frozen=True):
    """What a list shows, and in which order.

    `within` narrows `wanted` to what was submitted so many seconds ago at most: an address with it
    goes on meaning the latest.
    """

    wanted: TaskFilter = TaskFilter()
    within: int | None = None
    sort: Sort = Sort.CREATED

    def filter(self, now: int) -> TaskFilter:
        """Return what the store looks for at the time `now` (microseconds since the epoch)."""
        if self.within is None:
            return self.wanted
        return replace(self.wanted, since=now - self.within * SECOND)

    def but(self, **fields: Any) -> "TaskListView":
        """Return it with other values of some fields of its filter."""
        return replace(self, wanted=replace(self.wanted, **fields))


def read_view(query: TaskListQuery) -> TaskListView:
    """Return what the parameters of the list's address ask for.

    Words such as `state:failed` in the text that is searched for mean the parameter.

    Raises:
        InvalidRequest: If a state, a time or an order is none.
    """
    typed, text = _keyed(query.get("q") or "")
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
    return TaskListView(wanted, within, _sort(query))


def has_keyed_words(query: TaskListQuery) -> bool:
    """Tell whether the text that is searched for holds words that mean another parameter."""
    return _KEYED.search(query.get("q") or "") is not None


def read_filter(query: TaskListQuery, now: int) -> TaskFilter:
    """Return which tasks the parameters of an address or a form mean at the time `now`.

    Raises:
        InvalidRequest: As `read_view` does.
    """
    return read_view(query).filter(now)


def href(view: TaskListView, cursor: str | None = None) -> str:
    """Return the address of a list."""
    sort = [] if view.sort is Sort.CREATED else [("sort", view.sort.value)]
    further = [] if cursor is None else [("cursor", cursor)]
    return address("/tasks", [*asked(view), *sort, *further])


def asked(view: TaskListView) -> list[tuple[str, str]]:
    """Return the parameters that say which tasks a view shows, whenever it is looked at."""
    within = [] if view.within is None else [("since", before_now(view.within))]
    return [*pairs(view.wanted), *within]


def before_now(seconds: int) -> str:
    """Return a length of time, of whole minutes, as addresses give it: "15m", "24h"."""
    hours, rest = divmod(seconds, 3600)
    return f"{seconds // 60}m" if rest else f"{hours}h"


def address(path: str, query: Sequence[tuple[str, str]]) -> str:
    """Return a path with a query, if there is any."""
    return f"{path}?{urlencode(query)}" if query else path


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
    try:
        return State(name)
    except ValueError:
        known = ", ".join(State)
        raise InvalidRequest(f'there is no state "{name}"; there are: {known}') from None


def _sort(query: TaskListQuery) -> Sort:
    name = query.get("sort") or Sort.CREATED
    try:
        return Sort(name)
    except ValueError:
        known = ", ".join(Sort)
        raise InvalidRequest(f'a list is not sorted by "{name}", but by: {known}') from None


def _moment(query: TaskListQuery, name: str) -> int | None:
    """Return a time in microseconds since the epoch; without a zone it is one of UTC."""
    text = (query.get(name) or "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            f'{name}: "{text}" is no time: write 2026-11-30T09:00 or 24h'
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0, micros(moment)), LATEST)


def _within(query: TaskListQuery) -> int | None:
    """Return how many seconds before now the time begins, if it is given so: "15m", "24h"."""
    for name in ("within", "since"):
        if found := _BEFORE_NOW.fullmatch(query.get(name) or ""):
            return int(found[1]) * _UNITS[found[2]]
    return None

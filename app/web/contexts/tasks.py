"""The list of tasks: what its address asks for, and the links that change the question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec

from app.domain.errors import InvalidRequest
from app.domain.states import FINAL, LIVE, State
from app.domain.tasks import TaskFilter, TaskPage
from app.web import formats

PAGE_SIZE = 50
_PLAIN = {"functions": "function", "pools": "pool", "tags": "tag", "errors": "error"}


class Query(Protocol):
    """The part of a request's query parameters that is used here."""

    def get(self, key: str, /) -> str | None:
        """Return the last value of `key`, None where there is none."""

    def getlist(self, key: str, /) -> list[str]:
        """Return all values of `key`."""


@dataclass(frozen=True)
class StateChip:
    """A state to filter by; following `href` adds it, or takes it out again."""

    state: State
    count: str
    is_chosen: bool
    href: str


@dataclass(frozen=True)
class Narrowing:
    """A condition that narrows the list; following `href` takes it out."""

    label: str
    value: str
    href: str


def read_filter(query: Query) -> TaskFilter:
    """Return what the parameters of the list's address ask for.

    Raises:
        InvalidRequest: If a state is none.
    """
    text = (query.get("q") or "").strip()
    return TaskFilter(
        states=tuple(_state(name) for name in query.getlist("state")),
        functions=_given(query, "function"),
        pools=_given(query, "pool"),
        tags=_given(query, "tag"),
        errors=_given(query, "error"),
        text=text or None,
    )


def tasks_context(
    wanted: TaskFilter,
    page: TaskPage,
    counts: Mapping[State, int],
    choices: Mapping[str, Sequence[str]],
    *,
    is_first: bool,
) -> dict[str, Any]:
    """Return what the list shows.

    Args:
        wanted: The filter.
        page: What it found.
        counts: How many tasks there are in each state.
        choices: Names to choose from, for the parameters `function` and `pool`.
        is_first: Whether this is the newest page.
    """
    older = page.next_cursor
    return {
        "wanted": wanted,
        "page": page,
        "chips": tuple(_chip(wanted, state, counts.get(state, 0)) for state in State),
        "narrowings": tuple(_narrowings(wanted)),
        "choices": choices,
        "is_first": is_first,
        "has_any": any(counts.values()),
        "newest_href": href(wanted),
        "older_href": href(wanted, cursor=older) if older else None,
        "cancel_href": _change_href("cancel", wanted, LIVE),
        "retry_href": _change_href("retry", wanted, FINAL),
    }


def href(wanted: TaskFilter, cursor: str | None = None) -> str:
    """Return the address of the list of `wanted`."""
    return address("/tasks", [*pairs(wanted), *([("cursor", cursor)] if cursor else [])])


def address(path: str, query: Sequence[tuple[str, str]]) -> str:
    """Return a path with a query, if there is any."""
    return f"{path}?{urlencode(query)}" if query else path


def pairs(wanted: TaskFilter) -> list[tuple[str, str]]:
    """Return the parameters of an address or a form that `read_filter` reads as `wanted`."""
    found: list[tuple[str, str]] = [("state", state) for state in wanted.states]
    for field, parameter in _PLAIN.items():
        found += [(parameter, value) for value in getattr(wanted, field)]
    return [*found, ("q", wanted.text)] if wanted.text else found


def _change_href(change: str, wanted: TaskFilter, states: frozenset[State]) -> str | None:
    """Return where a change of all that match is asked for; None where none can be in `states`."""
    possible = states.intersection(wanted.states or State)
    return address(f"/tasks/{change}", pairs(wanted)) if possible else None


def _given(query: Query, parameter: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in query.getlist(parameter) if value))


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError:
        known = ", ".join(State)
        raise InvalidRequest(f'there is no state "{name}"; there are: {known}') from None


def _chip(wanted: TaskFilter, state: State, number: int) -> StateChip:
    is_chosen = state in wanted.states
    others = tuple(other for other in wanted.states if other is not state)
    states = others if is_chosen else (*others, state)
    return StateChip(state, formats.count(number), is_chosen, href(_with(wanted, states=states)))


def _narrowings(wanted: TaskFilter) -> Iterable[Narrowing]:
    for field, parameter in _PLAIN.items():
        values = getattr(wanted, field)
        for value in values:
            rest = tuple(other for other in values if other != value)
            yield Narrowing(parameter, value, href(_with(wanted, **{field: rest})))
    if wanted.text:
        yield Narrowing("text", wanted.text, href(_with(wanted, text=None)))


def _with(wanted: TaskFilter, **changes: Any) -> TaskFilter:
    return msgspec.structs.replace(wanted, **changes)

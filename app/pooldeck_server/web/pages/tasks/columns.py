"""The columns of the list of tasks: which there are, which somebody has chosen, in which order.

What an address names comes first, then what the browser keeps, then what is usual.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.datastructures import QueryParams

from pooldeck_server.web.http.cookies import cookie
from pooldeck_server.web.text.i18n import _, later

COOKIE: Final = "pooldeck_columns"
COOKIE_SECONDS: Final = 400 * 24 * 3600  # as long as browsers keep any

COLUMNS: Final = {
    "state": later("State"),
    "function": later("Function"),
    "arguments": later("Arguments"),
    "tags": later("Tags"),
    "pool": later("Pool"),
    "attempt": later("Attempt"),
    "priority": later("Priority"),
    "created": later("Created"),
    "ended": later("Ended"),
    "wait": later("Wait"),
    "run": later("Run"),
    "worker": later("Worker"),
    "id": later("Id"),
}
USUAL: Final = ("state", "function", "arguments", "pool", "created", "wait", "run", "worker")
NEEDED: Final = "function"
"""The column that leads to the task, and that no list is without."""

_PLACE: Final = "place-"
_SEPARATOR: Final = "."


@dataclass(frozen=True)
class ColumnChoice:
    """A column as the form offers it: `place` is where it stands, from 1."""

    name: str
    label: str
    place: int
    is_shown: bool
    is_needed: bool


def columns_of(text: str) -> tuple[str, ...]:
    """Return the columns that an address or a cookie names; none where it names none that exist."""
    named = (name for name in text.split(_SEPARATOR) if name in COLUMNS)
    return _whole(dict.fromkeys(named))


def as_text(columns: Iterable[str]) -> str:
    return _SEPARATOR.join(columns)


def kept_columns(request: Request) -> tuple[str, ...]:
    """Return the columns that the browser keeps, or else those that are usual."""
    return columns_of(cookie(request.scope, COOKIE)) or USUAL


def choices(chosen: Iterable[str]) -> tuple[ColumnChoice, ...]:
    """Return all columns, those that are shown first and in their order."""
    shown = tuple(chosen)
    others = (name for name in COLUMNS if name not in shown)
    return tuple(
        ColumnChoice(name, _(COLUMNS[name]), place, name in shown, name == NEEDED)
        for place, name in enumerate((*shown, *others), start=1)
    )


def posted_columns(form: QueryParams) -> tuple[str, ...]:
    """Return the columns that a form asks for, in the order of their places; none for the usual."""
    if "usual" in form:
        return ()
    named = [name for name in COLUMNS if name in form.getlist("column")]
    return _whole(sorted(named, key=lambda name: _place(form.get(_PLACE + name, ""))))


def _place(text: str) -> float:
    try:
        return float(text[:9])
    except ValueError:
        return len(COLUMNS)


def _whole(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    return (NEEDED, *found) if found and NEEDED not in found else found

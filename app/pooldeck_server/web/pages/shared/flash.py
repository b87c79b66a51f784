"""Flash messages: what a page says of what somebody has just done there.

Forms answer with a redirect, so that a reload does nothing twice. What was done stands in the
address as a word of a closed list, never as text. Each page names its words as `flashes`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.datastructures import QueryParams

from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _

DID: Final = "did"
"""The parameter of an address that names what was done."""

_MANY: Final = "many"
_REFUSALS: Final = {error.code: error.title for error in STATUS}
_MOST_DIGITS: Final = 12


def flash(query: QueryParams, flashes: Mapping[str, str]) -> str | None:
    """Return what is said of what was done; None where the address names nothing of `flashes`."""
    words = flashes.get(query.get(DID) or "")
    return None if words is None else _(words)


def numbers(done: BulkDone) -> list[tuple[str, str]]:
    return [(DID, _MANY), *((name, str(number)) for name, number in done.outcomes.items())]


def flash_of_many(query: QueryParams, flashes: Mapping[str, str]) -> str | None:
    """Return what is said of a change of many, in words with a place for the `number` of tasks."""
    if query.get(DID) != _MANY:
        return None
    parts = [_(flashes[name], number=number) for name, number in _given(query, flashes)]
    parts += [
        _("%(number)s refused (%(why)s)", number=number, why=_(_REFUSALS[name]))
        for name, number in _given(query, _REFUSALS)
    ]
    return _("%(parts)s.", parts=_(", ").join(parts)) if parts else _("No task was changed.")


def _given(query: QueryParams, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in names:
        number = query.get(name) or ""
        if number.isdecimal() and len(number) <= _MOST_DIGITS:
            yield name, formats.count(int(number))

"""What a page says of what somebody has just done there.

Forms answer with a redirect, so that a reload does nothing twice. What was done stands in the
address as a word of a closed list, never as text.
"""

from collections.abc import Mapping
from typing import Final

from app.domain.submissions import BulkDone
from app.web import formats
from app.web.contexts.tasks.page import Query
from app.web.errors import STATUS

DID: Final = "did"
"""The parameter of an address that names what was done."""

_OUTCOMES: Final = {
    "cancelled": "cancelled",
    "cancel_requested": "asked to end themselves",
    "killed": "killed",
    "abandoned": "abandoned",
    "already_ended": "had ended before",
    "retried": "queued again",
}
_REFUSALS: Final = {error.code: error.title for error in STATUS}
_MOST_DIGITS: Final = 12


def told(query: Query, words: Mapping[str, str]) -> str | None:
    """Return what `words` say of what the address names; None where it names nothing of them."""
    return words.get(query.get(DID) or "")


def numbers(done: BulkDone) -> list[tuple[str, str]]:
    """Return the parameters that tell what a change of many did."""
    return [(DID, "many"), *((name, str(number)) for name, number in done.outcomes.items())]


def told_of_many(query: Query) -> str | None:
    """Return what the parameters that `numbers` made tell."""
    if query.get(DID) != "many":
        return None
    said = [f"{number} {words}" for words, number in _given(query, _OUTCOMES)]
    said += [f"{number} refused ({words})" for words, number in _given(query, _REFUSALS)]
    return f"{', '.join(said) or 'No task was changed'}."


def _given(query: Query, words: Mapping[str, str]) -> list[tuple[str, str]]:
    found = [(words[name], query.get(name) or "") for name in words]
    return [
        (each, formats.count(int(number)))
        for each, number in found
        if number.isdecimal() and len(number) <= _MOST_DIGITS
    ]

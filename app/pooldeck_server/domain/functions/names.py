"""Names of functions that look alike."""

import difflib
from collections.abc import Iterable
from typing import Final

_MOST: Final = 3
_SIMILAR: Final = 0.75


def alike(name: str, known: Iterable[str]) -> list[str]:
    """Return the names that look like one, as a whole or in their last part, at most three."""
    by_last: dict[str, list[str]] = {}
    for each in known:
        by_last.setdefault(each.rpartition(".")[2], []).append(each)
    close = difflib.get_close_matches(name, known, n=_MOST, cutoff=_SIMILAR)
    last = name.rpartition(".")[2]
    for part in difflib.get_close_matches(last, by_last, n=_MOST, cutoff=_SIMILAR):
        close += by_last[part]
    return list(dict.fromkeys(close))[:_MOST]

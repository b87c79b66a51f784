"""Completions of the search box: names of functions, tags, pools, states, errors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST: Final = 8

_KINDS: Final = ("state", "function", "pool", "tag", "error")


@dataclass(frozen=True)
class Completion:
    """What a word may become: of which kind, its value, and the word to put in its place."""

    kind: str
    value: str
    word: str


def completions(word: str, names: Mapping[str, Iterable[str]]) -> list[Completion]:
    """Return what `word`, a part of a name or `kind:` before that, may become; likeliest first."""
    kinds, start = parted(word)
    found = [
        Completion(kind, name, _word(kind, name))
        for kind in kinds
        for name in names.get(kind, ())
        if start.lower() in name.lower()
    ]
    found.sort(key=lambda each: not _begins(each.value, start))
    return found[:MOST]


def parted(word: str) -> tuple[Sequence[str], str]:
    """Return the kinds that a word may be of, and what its name has to contain."""
    kind, colon, start = word.partition(":")
    if colon and kind in _KINDS:
        return (kind,), start.strip('"')
    return (_KINDS if word else ()), word


def _begins(name: str, start: str) -> bool:
    """Tell whether a name, or the last part of a dotted one, begins so."""
    return name.lower().startswith(start.lower()) or name.rpartition(".")[2].lower().startswith(
        start.lower()
    )


def _word(kind: str, name: str) -> str:
    return f'{kind}:"{name}"' if any(sign.isspace() for sign in name) else f"{kind}:{name}"

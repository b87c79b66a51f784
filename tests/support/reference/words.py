"""What docstrings say, and what nothing says anything about."""

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

_SECTION: Final = re.compile(r"^\w+:$", re.MULTILINE)
_ENTRY: Final = re.compile(r" {4}(\w+): (.*)")


class UndescribedError(Exception):
    """Something that people may use has no words where it is declared."""

    def __init__(self, lacking: Iterable[str]) -> None:
        super().__init__("; ".join(lacking))


def summary(described: Any) -> str:
    """Return what a docstring says before its sections, in one line; "" if there is none."""
    return " ".join(_SECTION.split(inspect.getdoc(described) or "", maxsplit=1)[0].split())


def entries(described: Any, section: str) -> dict[str, str]:
    """Return what a section of a docstring says of each name, in one line each."""
    _, _, rest = (inspect.getdoc(described) or "").partition(f"\n{section}:\n")
    found: dict[str, str] = {}
    for line in rest.partition("\n\n")[0].splitlines():
        if entry := _ENTRY.fullmatch(line):
            found[entry[1]] = entry[2]
        elif found:
            name, words = found.popitem()
            found[name] = f"{words} {line.strip()}"
    return found


def cell(text: str) -> str:
    """Return a text as a cell of a table holds it."""
    return text.replace("|", "\\|")

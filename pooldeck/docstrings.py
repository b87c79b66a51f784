"""What docstrings say of arguments, where they are written by Google's convention."""

import inspect
import re
from typing import Final

_SECTION: Final = re.compile(r"^(?:Args|Arguments|Parameters):\n((?:[ \t]+.*\n|\n)+)", re.MULTILINE)
_ARGUMENT: Final = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.+)$")


def arguments_of(doc: str) -> dict[str, str]:
    """Return what a docstring's "Args:" section says of each argument, by name."""
    section = _SECTION.search(doc + "\n")
    if section is None:
        return {}
    texts: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(section[1]).splitlines():
        if start := _ARGUMENT.match(line):
            name = start[1]
            texts[name] = start[2]
        elif name and line.strip():
            texts[name] += f" {line.strip()}"
    return texts


def without_arguments(doc: str) -> str:
    """Return a docstring without its "Args:" section, for where each argument is told by itself."""
    return _SECTION.sub("", doc + "\n").strip()

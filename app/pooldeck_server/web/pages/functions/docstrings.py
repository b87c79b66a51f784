"""What a function's docstring says of its arguments, where it says so in Google's convention."""

import re
from collections.abc import Mapping
from typing import Final

_SECTION: Final = re.compile(
    r"^ *(?:Args|Arguments|Parameters): *\n((?:[ \t]+.*\n?|\n)*)", re.MULTILINE
)
_ENTRY: Final = re.compile(r"\*{0,2}(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.*)")


def described_arguments(doc: str) -> Mapping[str, str]:
    """Return the description of each argument that the docstring `doc` has one of, by its name."""
    section = _SECTION.search(doc)
    lines = [line for line in section[1].splitlines() if line.strip()] if section else []
    if not lines:
        return {}
    margin = len(lines[0]) - len(lines[0].lstrip())
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        is_new = len(line) - len(line.lstrip()) <= margin
        entry = _ENTRY.fullmatch(line.strip()) if is_new else None
        if entry is not None:
            name = entry["name"]
            found[name] = entry["text"]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found

"""Which scripts a script imports, so that a page can ask for all of them at once."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from pooldeck_server.resources import resource

_IMPORT: Final = re.compile(r'^(?:import|export)\b[^"]*"(\./[^"]+)";', re.MULTILINE)


@cache
def imported_by(script: str) -> tuple[str, ...]:
    """Return the modules that one of `static/js`, such as "page.js", needs; its own name first."""
    folder = resource("static") / "js"
    return graph(script, {path.name: path.read_text() for path in folder.glob("*.js")})


def graph(script: str, sources: Mapping[str, str]) -> tuple[str, ...]:
    """Return `script` and what it imports from `sources`, in the order in which it is found."""
    found = [script]
    for name in found:  # which grows meanwhile
        imports = (PurePosixPath(path).name for path in _IMPORT.findall(sources[name]))
        found += [each for each in dict.fromkeys(imports) if each not in found]
    return tuple(found)

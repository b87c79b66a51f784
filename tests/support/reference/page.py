"""The pages with parts that are made, and these parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.documents import write
from pooldeck_server.settings import Settings
from tests import ROOT
from tests.support.reference import functions
from tests.support.reference.settings import limits, sections

PAGE: Final = ROOT / "docs" / "reference.md"

SECURITY: Final = ROOT / "docs" / "security.md"

PARTS: Final[dict[Path, dict[str, Callable[[], str]]]] = {
    PAGE: {
        "task": functions.options,
        "current_task": functions.current,
        "settings": lambda: sections(Settings),
    },
    SECURITY: {"limits": lambda: limits(Settings, "limits", "shared")},
}


def write_parts(page: Path, copy: Path | None = None) -> None:
    """Write each part of `page` anew, at its mark there or in a copy of it.

    Raises:
        UndescribedError: If something is declared without words, or a number without a unit.
        ValueError: If the page has no mark for a part.
    """
    for name, made in PARTS[page].items():
        write(copy or page, name, made())

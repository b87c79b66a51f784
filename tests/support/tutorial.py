"""Walks docs/tutorial.md and its like, and holds what is said against what they show.

`python -m tests.support.tutorial` writes what is said into the pages.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests import ROOT
from tests.support.documented import walks
from tests.support.documented.shell import shell
from tests.support.documented.walks import Step

PAGE: Final = ROOT / "docs" / "tutorial.md"
PAGES: Final = (PAGE, ROOT / "docs" / "command-line.md", ROOT / "docs" / "hosts.md")
_BLOCK: Final = re.compile(r"```console\n(.*?)```", re.DOTALL)


def steps(text: str) -> list[Step]:
    return [step for block in _BLOCK.findall(text) for step in walks.steps(block)]


def walk(text: str, folder: Path) -> list[list[str]]:
    """Run all commands of a page in one shell, in a folder with the files of the page."""
    with shell(text, folder) as opened:
        return [opened.say(step) for step in steps(text)]


def alike(line: str) -> str:
    """Return a line without what differs from run to run: numbers, names by chance, blanks."""
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", line)
    line = re.sub(r"\d[\d:.,TZ-]*", "N", line)
    return re.sub(r"\s+", " ", line).strip()


def filled(text: str, said: list[list[str]]) -> str:
    """Return a page with what was said in the place of what it shows."""
    rest = iter(said)

    def block(found: "re.Match[str]") -> str:
        parts = [
            f"$ {step.command}\n" + "".join(f"{line}\n" for line in next(rest))
            for step in walks.steps(found[1])
        ]
        return "```console\n" + "".join(parts) + "```"

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]) if sys.argv[1:] else PAGES:
        with tempfile.TemporaryDirectory() as place:
            page = path.read_text()
            path.write_text(filled(page, walk(page, Path(place))))

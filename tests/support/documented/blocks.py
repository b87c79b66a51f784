"""The fenced blocks of the documents."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from msgspec import Struct

from tests import ROOT

DOCUMENTS: Final = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
)
_FENCE: Final = re.compile(r"^(\s*)(```+|~~~+)\s*([\w+-]*).*$")


class Block(Struct, frozen=True):
    """A fenced block: its document, the number of its first line, its language, its text.

    `section` is the last heading above it.
    """

    document: str
    line: int
    language: str
    text: str
    section: str = ""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@cache
def blocks(document: str) -> tuple[Block, ...]:
    """Return the blocks of a document, by its path below the root of the repository."""
    return tuple(_found(document, (ROOT / document).read_text()))


def all_blocks() -> Iterator[Block]:
    """Yield the blocks of all documents."""
    for document in DOCUMENTS:
        yield from blocks(document)


def of_language(language: str) -> list[Block]:
    return [block for block in all_blocks() if block.language == language]


def _found(document: str, text: str) -> Iterator[Block]:
    lines = enumerate(text.splitlines(), start=1)
    section = ""
    for number, line in lines:
        if line.startswith("#"):
            section = line.lstrip("# ")
        if opened := _FENCE.match(line):
            indent, fence, language = opened.groups()
            held: list[str] = []
            for _, inner in lines:
                if inner.strip() == fence:
                    break
                held.append(inner.removeprefix(indent))
            said = "".join(f"{each}\n" for each in held)
            yield Block(document, number + 1, language, said, section)

"""Parts of documents that are made: between `<!-- NAME -->` and `<!-- end -->`, which stay."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

_END: Final = "<!-- end -->"


def write(document: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of `name`.

    Raises:
        ValueError: If the document has no such mark, or no end after it.
    """
    try:
        document.write_text(filled(document.read_text(), name, text))
    except ValueError as error:
        raise ValueError(f"{document} {error}") from None


def filled(page: str, name: str, text: str) -> str:
    """Return a page with `text` between the marks of `name`.

    Raises:
        ValueError: If the page has no such mark, or no end after it.
    """
    mark = f"<!-- {name} -->"
    before, found, rest = page.partition(mark)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        raise ValueError(f"has nothing between {mark} and {_END}")
    return f"{before}{mark}\n{text.strip()}\n{_END}{after}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown has it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

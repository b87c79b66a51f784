"""What a command prints: a table on a terminal, plain columns in a pipe, or JSON.

Results go to standard output, and what is said beside them to standard error. Text of tasks may
have in it what a terminal would obey, and is printed without.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

from pooldeck_server.domain.terminal_text import plain

_GAP: Final = "  "
_RIGHT: Final = ">"
"""In front of the head of a column of numbers."""


class Output:
    """Standard output and standard error as a command uses them.

    Args:
        is_json: Whether what the API says is printed as it is.
    """

    def __init__(self, *, is_json: bool = False) -> None:
        self.is_json = is_json

    @property
    def is_terminal(self) -> bool:
        return not is_closed(sys.stdout) and sys.stdout.isatty()

    def json(self, value: Any) -> None:
        """Print a value of the API, indented."""
        self.line(json.dumps(value, indent=2, ensure_ascii=False), is_plain=False)

    def json_line(self, value: Any) -> None:
        """Print a value of the API in one line."""
        self.line(json.dumps(value, ensure_ascii=False), is_plain=False)

    def line(self, text: str = "", *, is_plain: bool = True) -> None:
        """Print a line, or several."""
        _write(sys.stdout, plain(text) if is_plain else text)

    def note(self, text: str) -> None:
        """Say a line beside the result."""
        _write(sys.stderr, plain(text))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows below a head; a column whose head begins with ">" is set to the right."""
        cells = [[_one_line(cell) for cell in row] for row in rows]
        if self.is_terminal:
            _print_rich(head, cells)
        else:
            for line in _in_columns(head, cells):
                self.line(line)

    def facts(self, rows: Iterable[tuple[str, str | None]]) -> None:
        """Print names with values, but for those that there are none of."""
        known = [(name, value) for name, value in rows if value]
        width = max((len(name) for name, _ in known), default=0)
        for name, value in known:
            self.line(f"{name:<{width}}{_GAP}{value}")


def is_closed(stream: TextIO | None) -> bool:
    """Tell whether a standard stream was closed before the command began: then there is none."""
    return stream is None


def _write(stream: TextIO, text: str) -> None:
    """Write a line, flushed: what follows a task is read as it comes."""
    if is_closed(stream):
        return
    try:
        print(text, file=stream, flush=True)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        known = text.encode(encoding, "backslashreplace").decode(encoding)
        print(known, file=stream, flush=True)


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _in_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Yield the lines of a table for programs and files: nothing is cut off."""
    titles = [title.removeprefix(_RIGHT) for title in head]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = [
            cell.rjust(width) if title.startswith(_RIGHT) else cell.ljust(width)
            for cell, width, title in zip(row, widths, head, strict=True)
        ]
        yield _GAP.join(cells).rstrip()


def _print_rich(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Imported late: rich takes as long as all else of a command, and a pipe does without.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in head:
        is_number = title.startswith(_RIGHT)
        name = title.removeprefix(_RIGHT)
        table.add_column(Text(name), justify="right" if is_number else "left", no_wrap=is_number)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)

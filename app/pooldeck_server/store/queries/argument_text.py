"""The arguments of tasks as people see them, and which of them the index `argument_text` holds."""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, case, column, func, or_, select, table
from sqlalchemy.dialects import sqlite

from pooldeck_server.store.bulk import Rows, json_rows
from pooldeck_server.store.tables import links, search_progress, tasks

argument_text: Final = table(
    "argument_text", column("rowid", sqlite.INTEGER), column("argument_text"), column("text")
)
"""The index; what is matched against is, as FTS5 has it, a column of the table's own name."""

ARGS: Final[ColumnElement[Any]] = func.coalesce(tasks.c.shown_args, tasks.c.args)
KWARGS: Final[ColumnElement[Any]] = func.coalesce(tasks.c.shown_kwargs, tasks.c.kwargs)
_GIVEN: Final = (
    func.coalesce(func.nullif(ARGS, "[]"), "")
    .concat("\n")
    .concat(func.coalesce(func.nullif(KWARGS, "{}"), ""))
)


LONGEST: Final = 4096
"""Characters of a task's arguments that are indexed."""

_row = Rows("seq")
_before = (
    func.coalesce(func.nullif(func.coalesce(links.c.given_args, ARGS), "[]"), "")
    .concat("\n")
    .concat(func.coalesce(func.nullif(func.coalesce(links.c.given_kwargs, KWARGS), "{}"), ""))
)
_was_given: Final = or_(links.c.given_args.is_not(None), links.c.given_kwargs.is_not(None))
_find_texts = (
    select(
        json_rows(
            (
                tasks.c.seq,
                func.substr(_GIVEN, 1, LONGEST),
                case((_was_given, func.substr(_before, 1, LONGEST)), else_=None),
            )
        )
    )
    .select_from(_row.table)
    .join(tasks, tasks.c.seq == _row["seq"])
    .outerjoin(links, links.c.seq == tasks.c.seq)
)

_find_edited = (
    select(json_rows((tasks.c.seq, func.substr(_GIVEN, 1, LONGEST))))
    .select_from(_row.table)
    .join(tasks, tasks.c.seq == _row["seq"])
    .where(tasks.c.edits > 0)
)

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Unindexed(NamedTuple):
    """The next arguments to index, as they stand in JSON, and the last number looked at."""

    texts: list[tuple[int, str]]
    through: int


def indexed_through(connection: Connection) -> int:
    """Return the highest number of a task whose arguments the index holds; 0 for none."""
    return connection.scalar(select(func.max(search_progress.c.through))) or 0


def not_indexed(connection: Connection) -> int:
    """Return how many tasks follow those whose arguments the index holds."""
    last = connection.scalar(select(func.max(tasks.c.seq))) or 0
    return max(0, last - indexed_through(connection))


def unindexed(connection: Connection, through: int, limit: int, longest: int) -> Unindexed:
    """Return the arguments of the tasks that follow those the index holds.

    Up to `limit` tasks are looked at, none beyond the number `through`; up to `longest` characters
    of each one's arguments are returned.
    """
    following = (
        select(tasks.c.seq)
        .where(tasks.c.seq > indexed_through(connection), tasks.c.seq <= through)
        .order_by(tasks.c.seq)
        .limit(limit)
        .subquery()
    )
    found = (
        select(json_rows((tasks.c.seq, func.substr(_GIVEN, 1, longest))), func.max(tasks.c.seq))
        .select_from(following)
        .join(tasks, tasks.c.seq == following.c.seq)
    )
    rows, last = connection.execute(found).one()
    texts = msgspec.json.decode(rows, type=list[tuple[int, str]])
    return Unindexed([(seq, text) for seq, text in texts if text != "\n"], last or 0)


def edited_texts(connection: Connection, seqs: Iterable[int]) -> dict[int, str]:
    """Return the texts to index, as they are by now, of those tasks that were ever changed."""
    rows = [(seq,) for seq in seqs]
    found = _row.fetch(connection, _find_edited, tuple[int, str], rows)
    return {seq: undo_escapes(text) for seq, text in found}


def indexed_texts(connection: Connection, seqs: Iterable[int]) -> list[tuple[int, str]]:
    """Return the texts that the index holds of tasks, exactly as it was given them.

    Where the results of other tasks took the place of references, it may hold the text from before
    or after that: the index itself is asked.
    """
    through = indexed_through(connection)
    rows = [(seq,) for seq in seqs if seq <= through]
    found = _row.fetch(connection, _find_texts, tuple[int, str, str | None], rows)
    texts = (
        (seq, _indexed(connection, seq, text, before) if before is not None else undo_escapes(text))
        for seq, text, before in found
    )
    return [(seq, text) for seq, text in texts if text not in {"", "\n"}]


def _indexed(connection: Connection, seq: int, *candidates: str) -> str:
    """Return the one of some texts that the index holds; of two, the one that has the other."""
    plain = sorted({undo_escapes(text) for text in candidates}, key=len, reverse=True)
    for text in plain:
        phrase = '"' + text.replace('"', '""') + '"'
        asked = select(argument_text.c.rowid).where(
            argument_text.c.argument_text.op("MATCH")(phrase), argument_text.c.rowid == seq
        )
        if connection.execute(asked).first() is not None:
            return text
    return ""


def undo_escapes(text: str) -> str:
    """Return JSON text with what each escape stands for in its place; NUL becomes a blank."""
    if "\\" not in text:
        return text.replace("\0", " ")
    plain = _ESCAPE.sub(_undone, text)
    whole = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pairs become one
    return whole.replace("\0", " ")


def _undone(escape: "re.Match[str]") -> str:
    code, letter = escape.groups()
    return chr(int(code, 16)) if code else _LETTERS.get(letter, letter)

"""The arguments of tasks as people see them, and which of them the index `argument_text` holds."""

from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, column, func, select, table
from sqlalchemy.dialects import sqlite

from pooldeck_server.store.bulk import json_rows
from pooldeck_server.store.tables import search_progress, tasks

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

    Args:
        connection: Where to read.
        through: The number of the last task to look at.
        limit: How many tasks to look at.
        longest: Characters of a task's arguments to return.
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

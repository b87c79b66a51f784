"""Where a text stands: in ids, names of functions, and arguments as people see them.

The arguments of most tasks are in an index, with the escapes of JSON undone. Those of the newest
are not yet: these are looked at row by row, and so is everything where a text is too short.
"""

import json
import re
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.store.queries.argument_text import (
    ARGS,
    KWARGS,
    argument_text,
    indexed_through,
    undo_escapes,
)
from pooldeck_server.store.queries.index_plan import (
    MAX_LANES,
    Condition,
    Lane,
    Walk,
    begins_with,
    checks,
    counted_lanes,
)
from pooldeck_server.store.tables import counters, tasks

_SHORTEST: Final = 3
"""Characters of the shortest text that the index finds: it is one of trigrams."""

_PART_OF_ID: Final = re.compile(r"[0-9a-f][0-9a-f-]{0,35}")


def contains(text: str) -> Condition:
    """Return the condition that people can see `text` in a task's id, function or arguments."""
    return or_(
        tasks.c.id.startswith(text, autoescape=True),
        tasks.c.function.contains(text, autoescape=True),
        *(
            arguments.contains(spelling, autoescape=True)
            for spelling in _spellings(text)
            for arguments in (ARGS, KWARGS)
        ),
    )


def _spellings(text: str) -> dict[str, None]:
    """Return how `text` may be written in JSON: as it is, and with escapes of both usual kinds."""
    escaped = (json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return dict.fromkeys([text, *escaped])


def text_walk(connection: Connection, wanted: TaskFilter, text: str) -> Walk | None:
    """Return the walk to the tasks of a filter in which `text` stands, by the indexes.

    None where they do not help: for a short text, and for one that too many functions are named by.
    """
    functions = _function_lanes(connection, wanted, text)
    if len(text) < _SHORTEST or len(functions) > MAX_LANES:
        return None
    through = indexed_through(connection)
    in_arguments = argument_text.c.argument_text.op("MATCH")(_phrase(text))
    return Walk(
        indexed=(
            Lane(argument_text.c.rowid, (in_arguments,)),
            *functions,
            *_id_lanes(connection, text),
        ),
        rest=tuple(checks(wanted).values()),
        scanned=Lane(tasks.c.seq, (contains(text),), low=through + 1),
    )


def _phrase(text: str) -> str:
    """Return the query of the index for `text`, as it stands and with its escapes undone."""
    texts = dict.fromkeys([text.replace("\0", " "), undo_escapes(text)])
    quoted = ['"' + each.replace('"', '""') + '"' for each in texts if len(each) >= _SHORTEST]
    return " OR ".join(quoted)


def _function_lanes(connection: Connection, wanted: TaskFilter, text: str) -> tuple[Lane, ...]:
    """Return the lanes of the functions that have `text` in their names."""
    known: Any = connection.scalars(select(counters.c.function).distinct())
    allowed = (name for name in known if not wanted.functions or name in wanted.functions)
    named = tuple(name for name in allowed if text.lower() in name.lower())
    if not named:
        return ()
    of_them = TaskFilter(states=wanted.states, functions=named, pools=wanted.pools)
    return counted_lanes(connection, of_them)


def _id_lanes(connection: Connection, text: str) -> tuple[Lane, ...]:
    """Return the lane of the tasks whose ids begin with `text`, if it could be that of an id."""
    start = text.lower()
    if not _PART_OF_ID.fullmatch(start):
        return ()
    span = begins_with(connection, start)
    return (Lane(tasks.c.seq, low=span.low, high=span.high),)

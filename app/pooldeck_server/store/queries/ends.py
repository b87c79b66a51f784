"""How many tasks have ended, for those who watch them."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from pooldeck_server.domain.tasks.ends import TaskEnd
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.store.bulk import Rows, json_rows
from pooldeck_server.store.tables import tasks

_id = Rows("id")


def ends(connection: Connection, ids: Iterable[str], longest: int) -> list[TaskEnd]:
    """Return how tasks have ended, or that they have not; those that do not exist are left out.

    Of an end whose result and error have more than `longest` characters, both are left out.
    """
    return _id.fetch(connection, _ends(longest), TaskEnd, [(task_id,) for task_id in ids])


@cache
def _ends(longest: int) -> Select[Any]:
    has_ended = tasks.c.state.in_(sorted(FINAL))
    size = _length(tasks.c.result) + _length(tasks.c.error)
    is_told = and_(has_ended, size <= longest)
    fields: dict[str, ColumnElement[Any]] = {
        name: tasks.c[name] for name in TaskEnd.__struct_fields__ if name in tasks.c
    }
    fields |= {name: case((is_told, tasks.c[name])) for name in ("result", "error")}
    row = json_rows((*fields.values(), and_(has_ended, size > longest)))
    return select(row).select_from(_id.table.join(tasks, tasks.c.id == _id["id"]))


def _length(text: ColumnElement[Any]) -> ColumnElement[int]:
    return func.length(func.coalesce(text, ""))

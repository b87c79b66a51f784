"""How a row of `tasks` becomes a `StoredTask`: in SQL, as a JSON object of its fields."""

from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal_column

from app.domain.tasks import StoredTask
from app.store.tables import tasks

LONG = 4096
"""Characters of a text up to which lists show it."""

_LONG_TEXTS = ("args", "kwargs", "result", "error", "measurement")


def json_object(fields: dict[str, ColumnElement[Any]]) -> ColumnElement[str]:
    """Return the SQL of `fields` as a JSON object."""
    parts: list[ColumnElement[Any]] = []
    for name, value in fields.items():
        parts += (literal_column(f"'{name}'"), value)
    return func.json_object(*parts)


def _fields() -> dict[str, ColumnElement[Any]]:
    names = [name for name in StoredTask.__struct_fields__ if name != "omitted"]
    return {name: tasks.c[name] for name in names} | {
        "tags": func.json(func.coalesce(tasks.c.tags, "[]")),
        "args": func.coalesce(tasks.c.shown_args, tasks.c.args),
        "kwargs": func.coalesce(tasks.c.shown_kwargs, tasks.c.kwargs),
    }


def _without_long_texts(fields: dict[str, ColumnElement[Any]]) -> dict[str, ColumnElement[Any]]:
    fields = dict(fields)
    names: ColumnElement[str] = literal_column("''", Text)
    for name in _LONG_TEXTS:
        is_long = func.length(fields[name]) > LONG
        fields[name] = case((is_long, None), else_=fields[name])
        names = names + case((is_long, f',"{name}"'), else_="")
    return fields | {"omitted": func.json("[" + func.substr(names, 2) + "]")}


WHOLE_TASK = json_object(_fields())
"""A task with all that people may see of it."""

LISTED_TASK = json_object(_without_long_texts(_fields()))
"""A task as lists show it: without its long texts, but with their names."""

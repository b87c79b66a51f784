"""How a row of `tasks` becomes a `StoredTask`: in SQL, as a JSON object of its fields."""

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, func, literal_column, select

from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store.bulk import json_object
from pooldeck_server.store.tables import edges, links, tasks

LONG = 4096
"""Characters of a text up to which lists show it."""

AFTER_SHOWN = 100
"""Of the tasks before one, how many a task shows by their ids."""

LISTED_OF_MESSAGE = 300
"""Characters of an error's message that lists show, however long the error is."""

_MADE = {"omitted", "dependencies", "error_type", "error_message"}
_needed = tasks.alias("needed")
LONG_TEXTS = ("args", "kwargs", "result", "error", "measurement")


def _fields() -> dict[str, ColumnElement[Any]]:
    names = [name for name in StoredTask.__struct_fields__ if name not in _MADE]
    return {name: tasks.c[name] for name in names} | {
        "tags": func.json(func.coalesce(tasks.c.tags, "[]")),
        "args": func.coalesce(tasks.c.shown_args, tasks.c.args),
        "kwargs": func.coalesce(tasks.c.shown_kwargs, tasks.c.kwargs),
        "dependencies": _dependencies(("given_args", "given_kwargs")),
    }


_SHORT_OF_DEPENDENCIES = ("pipeline", "step", "item", "items", "released_at", "stopped_by")


def _dependencies(texts: tuple[str, ...] = ()) -> ColumnElement[Any]:
    """Return the place of a task among others, with some long texts; null where it has none."""
    fields: dict[str, ColumnElement[Any]] = {
        name: links.c[name] for name in (*_SHORT_OF_DEPENDENCIES, *texts)
    }
    of_task = edges.c.seq == links.c.seq
    number = select(func.count()).where(of_task).correlate(links).scalar_subquery()
    first = (
        select(_needed.c.id)
        .where(of_task, _needed.c.seq == edges.c.needs)
        .order_by(edges.c.needs)
        .limit(AFTER_SHOWN)
        .correlate(links)
        .subquery()
    )
    ids = select(func.json_group_array(first.c.id)).scalar_subquery()
    is_fan = and_(links.c.each.is_not(None), links.c.released_at.is_(None))
    fields |= {"is_fan": func.json(case((is_fan, "true"), else_="false")), "needs": number}
    fields["after"] = func.json(ids)
    found = select(json_object(fields)).where(links.c.seq == tasks.c.seq)
    return func.json(found.correlate(tasks).scalar_subquery())


def _without_long_texts(fields: dict[str, ColumnElement[Any]]) -> dict[str, ColumnElement[Any]]:
    fields = dict(fields)
    names: ColumnElement[str] = literal_column("''", Text)
    for name in LONG_TEXTS:
        is_long = func.length(fields[name]) > LONG
        fields[name] = case((is_long, None), else_=fields[name])
        names = names + case((is_long, f',"{name}"'), else_="")
    fields["dependencies"] = _dependencies()
    fields["error_type"] = func.json_extract(tasks.c.error, "$.type")
    message = func.json_extract(tasks.c.error, "$.message")
    fields["error_message"] = func.substr(message, 1, LISTED_OF_MESSAGE)
    return fields | {"omitted": func.json("[" + func.substr(names, 2) + "]")}


WHOLE_TASK = json_object(_fields())
"""A task with all that people may see of it."""

LISTED_TASK = json_object(_without_long_texts(_fields()))
"""A task as lists show it: without its long texts, but with their names."""

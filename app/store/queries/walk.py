"""Where tasks are looked for: along indexes, each from its newest entry back.

An index gives tasks in the order of submission only where all of its columns are named. So a filter
becomes one walk for each combination of them that the counters say exists, and SQLite merges the
walks as it goes: nothing is sorted, and it stops with the last row of the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Table,
    UnaryExpression,
    select,
    union,
)
from sqlalchemy.sql import operators

from app.domain.tasks import TaskFilter
from app.store.bulk import fetch, json_rows
from app.store.tables import counters, task_tags, tasks

AFTER_ALL = 2**63 - 1
"""A number that no task reaches."""

_MAX_LANES = 64

Condition = ColumnElement[bool]
Numbers = Select[tuple[int]] | CompoundSelect[tuple[int]]


@dataclass(frozen=True)
class Lane:
    """One walk: along `table`, which has a column `seq`, where the conditions hold."""

    table: Table
    conditions: tuple[Condition, ...] = ()

    def between(self, low: int, high: int, rest: Sequence[Condition] = ()) -> Select[tuple[int]]:
        """Return its numbers from `low` up to but not including `high` where `rest` holds too."""
        seq = self.table.c.seq
        query = select(seq).where(*self.conditions, seq >= low, seq < high)
        if rest and self.table is not tasks:
            query = query.join(tasks, tasks.c.seq == seq)
        return query.where(*rest)


@dataclass(frozen=True)
class Walk:
    """The lanes that hold every task of a filter, and what is left to be checked row by row."""

    lanes: tuple[Lane, ...]
    rest: tuple[Condition, ...]

    @property
    def is_everywhere(self) -> bool:
        """Tell whether it goes along the table itself, where numbers hardly have gaps."""
        return self.lanes == (Lane(tasks),)


def newest_first(lanes: Sequence[Select[tuple[int]]]) -> Numbers:
    """Return the numbers that `lanes` find, the highest first."""
    if len(lanes) == 1:
        only = lanes[0]
        return only.order_by(only.selected_columns.seq.desc())
    merged = union(*lanes)
    return merged.order_by(merged.selected_columns.seq.desc())


def plan(connection: Connection, wanted: TaskFilter, text: Condition | None = None) -> Walk:
    """Choose the lanes for a filter whose text, if it has one, is the condition `text`."""
    checks = _checks(wanted)
    lanes, covered = _lanes(connection, wanted)
    rest = tuple(check for name, check in checks.items() if name not in covered)
    return Walk(lanes, rest if text is None else (*rest, text))


def _checks(wanted: TaskFilter) -> dict[str, Condition]:
    """Return the parts of the filter that a row of `tasks` can be checked for."""
    columns = {
        "states": tasks.c.state,
        "functions": tasks.c.function,
        "pools": tasks.c.pool,
        "errors": tasks.c.error_kind,
    }
    return {
        name: _unindexed(column).in_(getattr(wanted, name))
        for name, column in columns.items()
        if getattr(wanted, name)
    }


def _unindexed(column: Column[Any]) -> ColumnElement[Any]:
    """Return `column` with a plus before it: SQLite then takes no index for it and no other way."""
    return UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)


def _lanes(connection: Connection, wanted: TaskFilter) -> tuple[tuple[Lane, ...], frozenset[str]]:
    """Return the lanes, and the names of the filter's fields that they settle."""
    if wanted.tags:
        lanes = [Lane(task_tags, (task_tags.c.tag == tag,)) for tag in wanted.tags]
        return tuple(lanes), frozenset({"tags"})
    if wanted.errors:
        lanes = [Lane(tasks, (tasks.c.error_kind == kind,)) for kind in wanted.errors]
        return tuple(lanes), frozenset({"errors"})
    if wanted.states or wanted.functions or wanted.pools:
        names = ("function", "pool", "state") if wanted.functions else ("pool", "state")
        found = _combinations(connection, wanted, names)
        if len(found) <= _MAX_LANES:
            return _index_lanes(names, found), frozenset({"states", "functions", "pools"})
    return (Lane(tasks),), frozenset()


def _combinations(
    connection: Connection, wanted: TaskFilter, names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return the values of `names` that tasks of the filter have, as the counters know them."""
    columns = [counters.c[name] for name in names]
    filters = {"state": wanted.states, "function": wanted.functions, "pool": wanted.pools}
    given = [counters.c[name].in_(values) for name, values in filters.items() if values]
    found = select(*columns).distinct().where(counters.c.n > 0, *given).subquery()
    return fetch(connection, select(json_rows(found.c)), list[tuple[str, ...]])


def _index_lanes(names: Sequence[str], found: Sequence[Sequence[str]]) -> tuple[Lane, ...]:
    return tuple(
        Lane(
            tasks, tuple(tasks.c[name] == value for name, value in zip(names, values, strict=True))
        )
        for values in found
    )

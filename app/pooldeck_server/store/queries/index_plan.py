"""Where tasks are looked for: along indexes, each from its newest entry back.

An index gives tasks in the order of submission only where all of its columns are named. So a filter
becomes one walk for each combination of them that the counters say exists, and SQLite merges the
walks as it goes: nothing is sorted, and it stops with the last row of the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from msgspec.structs import replace
from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    UnaryExpression,
    exists,
    func,
    select,
    union,
    union_all,
)
from sqlalchemy.sql import operators

from pooldeck_server.domain.tasks.filter import TaskFilter, is_counted
from pooldeck_server.domain.tasks.ids import first_id_at
from pooldeck_server.store.bulk import fetch, json_rows
from pooldeck_server.store.tables import counters, links, task_tags, tasks

AFTER_ALL = 2**63 - 1
"""A number that no task reaches."""

MAX_LANES = 64
"""The most walks that are merged: past them, looking at each row is no dearer."""

_COUNTED = frozenset({"states", "functions", "pools"})
_FEW = 1000  # tasks

Condition = ColumnElement[bool]
Numbers = Select[tuple[int]] | CompoundSelect[tuple[int]]


class SeqSpan(NamedTuple):
    """The numbers from `low` up to but not including `high`."""

    low: int = 0
    high: int = AFTER_ALL

    def within(self, other: Self) -> "SeqSpan":
        return SeqSpan(max(self.low, other.low), min(self.high, other.high))


@dataclass(frozen=True)
class Lane:
    """One walk: along `seq`, a column of some table, from `low` to before `high`.

    It meets those for which the conditions hold.
    """

    seq: ColumnClause[Any]
    conditions: tuple[Condition, ...] = ()
    low: int = 0
    high: int = AFTER_ALL

    def between(self, low: int, high: int, rest: Sequence[Condition] = ()) -> Select[tuple[int]]:
        """Return its numbers from `low` up to but not including `high` where `rest` holds too."""
        query = select(self.seq.label("seq"))
        # One bound on each side: of several, SQLite would take any for its way along the index.
        low, high = max(low, self.low), min(high, self.high)
        query = query.where(*self.conditions, self.seq >= low, self.seq < high)
        if rest and self.seq.table is not tasks:
            query = query.join(tasks, tasks.c.seq == self.seq)
        return query.where(*rest)

    def ends(self) -> Select[tuple[int | None, int | None]]:
        """Return its lowest and its highest number; each is one step along the index."""
        low, high = (
            select(end).where(*self.conditions).scalar_subquery()
            for end in (func.min(self.seq), func.max(self.seq))
        )
        return select(low.label("low"), high.label("high"))


@dataclass(frozen=True)
class Walk:
    """The lanes that hold every task of a filter, and what is left to be checked row by row.

    `scanned` is a lane along the table itself, each of whose rows has to be looked at; None where
    indexes hold all.
    """

    indexed: tuple[Lane, ...]
    rest: tuple[Condition, ...]
    scanned: Lane | None = None

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return self.indexed if self.scanned is None else (*self.indexed, self.scanned)


def newest_first(lanes: Sequence[Select[tuple[int]]]) -> Numbers:
    """Return the numbers that `lanes` find, the highest first."""
    if len(lanes) == 1:
        only = lanes[0]
        return only.order_by(only.selected_columns.seq.desc())
    merged = union(*lanes)
    return merged.order_by(merged.selected_columns.seq.desc())


def plan(connection: Connection, wanted: TaskFilter) -> Walk:
    """Choose the lanes for a filter; its text and its time are not looked at."""
    indexed, covered = _lanes(connection, wanted)
    rest = tuple(check for name, check in checks(wanted).items() if name not in covered)
    return Walk((), rest, Lane(tasks.c.seq)) if indexed is None else Walk(indexed, rest)


def checks(wanted: TaskFilter) -> dict[str, Condition]:
    """Return the parts of the filter that a row of `tasks` can be checked for, by their names."""
    columns = {
        "states": tasks.c.state,
        "functions": tasks.c.function,
        "pools": tasks.c.pool,
        "errors": tasks.c.error_kind,
        "groups": tasks.c.error_group,
    }
    found: dict[str, Condition] = {
        name: unindexed(column).in_(getattr(wanted, name))
        for name, column in columns.items()
        if getattr(wanted, name)
    }
    if wanted.tags:
        found["tags"] = _has_a_tag(wanted.tags)
    if wanted.pipelines:
        found["pipelines"] = _is_in(wanted.pipelines)
    return found


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return `column` with a plus before it: SQLite then takes no index for it and no other way."""
    return UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)


def _has_a_tag(tags: Sequence[str]) -> Condition:
    return exists().where(task_tags.c.seq == tasks.c.seq, task_tags.c.tag.in_(tags))


def _is_in(pipelines: Sequence[str]) -> Condition:
    return exists().where(links.c.seq == tasks.c.seq, links.c.pipeline.in_(pipelines))


def _lanes(
    connection: Connection, wanted: TaskFilter
) -> tuple[tuple[Lane, ...] | None, frozenset[str]]:
    """Return the lanes, and the names of the filter's fields that they settle; None for none.

    Those of the counters are taken where they hold few tasks, or where no other index helps.
    """
    other = _other_lanes(wanted)
    has_counted = any(getattr(wanted, name) for name in _COUNTED)
    if has_counted and (other is None or counted(connection, wanted) <= _FEW):
        found = counted_lanes(connection, wanted)
        if len(found) <= MAX_LANES:
            return found, _COUNTED
    return other or (None, frozenset())


def _other_lanes(wanted: TaskFilter) -> tuple[tuple[Lane, ...], frozenset[str]] | None:
    """Return the lanes of the first field that has an index of its own, and its name."""
    for name, column, seq in (
        ("pipelines", links.c.pipeline, links.c.seq),
        ("tags", task_tags.c.tag, task_tags.c.seq),
        ("groups", tasks.c.error_group, tasks.c.seq),
        ("errors", tasks.c.error_kind, tasks.c.seq),
    ):
        if values := getattr(wanted, name):
            return tuple(Lane(seq, (column == value,)) for value in values), frozenset({name})
    return None


def is_counted_only(wanted: TaskFilter) -> bool:
    """Tell whether a filter names states, functions and pools, beside times, and nothing else."""
    return is_counted(replace(wanted, since=None, until=None))


def counted(connection: Connection, wanted: TaskFilter) -> int:
    """Return how many tasks fit the states, functions and pools of a filter: counters know it."""
    number = select(func.coalesce(func.sum(counters.c.n), 0)).where(*_on_counters(wanted))
    return connection.scalar(number) or 0


def _on_counters(wanted: TaskFilter) -> list[Condition]:
    filters = {"state": wanted.states, "function": wanted.functions, "pool": wanted.pools}
    return [counters.c[name].in_(values) for name, values in filters.items() if values]


def counted_lanes(connection: Connection, wanted: TaskFilter) -> tuple[Lane, ...]:
    """Return a lane for each state of each pool, and function if any is named, that has tasks."""
    names = ("function", "pool", "state") if wanted.functions else ("pool", "state")
    columns = [counters.c[name] for name in names]
    given = _on_counters(wanted)
    query = select(*columns).distinct().where(counters.c.n > 0, *given).subquery()
    found = fetch(connection, select(json_rows(query.c)), list[tuple[str, ...]])
    return tuple(
        Lane(
            tasks.c.seq,
            tuple(tasks.c[name] == value for name, value in zip(names, values, strict=True)),
        )
        for values in found
    )


def reach(connection: Connection, wanted: TaskFilter) -> SeqSpan:
    """Return the numbers between which every task of a filter is, as far as states and such tell.

    For walks along other indexes: what failed, say, may be far behind a million that wait. All of
    it where the filter names neither states, functions nor pools.
    """
    if not any(getattr(wanted, name) for name in _COUNTED):
        return SeqSpan()
    lanes = counted_lanes(connection, wanted)
    if not 0 < len(lanes) <= MAX_LANES:
        return SeqSpan() if lanes else SeqSpan(high=0)
    ends = union_all(*(lane.ends() for lane in lanes)).subquery()
    found = select(func.min(ends.c.low), func.max(ends.c.high))
    low, high = connection.execute(found).one()
    return SeqSpan(high=0) if high is None else SeqSpan(low, high + 1)


def submitted(connection: Connection, wanted: TaskFilter) -> SeqSpan:
    """Return the numbers of what was submitted in the filter's time: ids tell the time."""
    low, high = 0, AFTER_ALL
    if wanted.since is not None:
        low = first_from(connection, first_id_at(wanted.since))
    if wanted.until is not None:
        high = first_from(connection, first_id_at(wanted.until))
    return SeqSpan(low, high)


def begins_with(connection: Connection, start: str) -> SeqSpan:
    return SeqSpan(first_from(connection, start), first_from(connection, start + "~"))


def first_from(connection: Connection, task_id: str) -> int:
    """Return the number of the first task whose id is `task_id` or later; one after all if none."""
    query = select(tasks.c.seq).where(tasks.c.id >= task_id).order_by(tasks.c.id).limit(1)
    found = connection.scalar(query)
    return AFTER_ALL if found is None else found

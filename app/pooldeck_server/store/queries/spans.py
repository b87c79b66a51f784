"""Stretches of the order of submission: what a filter's time means in numbers of tasks."""

from typing import NamedTuple, Self

from sqlalchemy import Connection, select

from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.ids import first_id_at
from pooldeck_server.store.queries.index_plan import AFTER_ALL
from pooldeck_server.store.tables import tasks


class Span(NamedTuple):
    """The numbers from `low` up to but not including `high`."""

    low: int = 0
    high: int = AFTER_ALL

    def within(self, other: Self) -> "Span":
        """Return what both have."""
        return Span(max(self.low, other.low), min(self.high, other.high))


def submitted(connection: Connection, wanted: TaskFilter) -> Span:
    """Return the numbers of what was submitted in the filter's time: ids tell the time."""
    low, high = 0, AFTER_ALL
    if wanted.since is not None:
        low = first_from(connection, first_id_at(wanted.since))
    if wanted.until is not None:
        high = first_from(connection, first_id_at(wanted.until))
    return Span(low, high)


def begins_with(connection: Connection, start: str) -> Span:
    """Return the numbers of the tasks whose ids begin with `start`."""
    return Span(first_from(connection, start), first_from(connection, start + "~"))


def first_from(connection: Connection, task_id: str) -> int:
    """Return the number of the first task whose id is `task_id` or later; one after all if none."""
    query = select(tasks.c.seq).where(tasks.c.id >= task_id).order_by(tasks.c.id).limit(1)
    found = connection.scalar(query)
    return AFTER_ALL if found is None else found

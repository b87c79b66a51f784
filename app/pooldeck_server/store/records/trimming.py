"""What grows by itself and belongs to no single task: its oldest parts are deleted, some at once.

A table in docs/operations.md says of each table what bounds it.

Groups of errors go when they were not seen for long and no task is left that ended so.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, func, select, tuple_

from pooldeck_server.domain.clock import HOUR, MINUTE
from pooldeck_server.domain.retention import DAY, KEYS_DAYS
from pooldeck_server.domain.tasks.ids import first_id_at
from pooldeck_server.store.records.batches import trim_batches
from pooldeck_server.store.tables import (
    activity,
    annotations,
    counters,
    deleted,
    error_counts,
    error_groups,
    error_minutes,
    experiments,
    functions,
    incidents,
    placements,
    profiles,
    runs,
    storage_days,
    tasks,
)
from pooldeck_server.store.transaction import Transaction

_AT_ONCE: Final = 500  # rows of a table
_ACTIVITY_DAYS: Final = 31  # pages ask for the latest day
_STORAGE_DAYS: Final = 400
_ERROR_MINUTES: Final = 120  # the deck shows the latest 30
_MOST: Final = {runs: 1000, incidents: 50_000, annotations: 200_000}
"""Rows that are kept whatever their age: a server or a worker that dies all day makes many."""


def trim_others(transaction: Transaction, now: int, cutoff: int | None) -> int:
    """Delete some of what is too old at `now`; return how many rows.

    Args:
        transaction: The writer's.
        now: Microseconds since the epoch.
        cutoff: The moment up to which incidents, annotations, experiments and groups of errors are
            too old, in microseconds; None: they are kept.
    """
    number = _trim(transaction, deleted, deleted.c.deleted_at < now - KEYS_DAYS * DAY)
    number += _trim(
        transaction, activity, activity.c.minute < (now - _ACTIVITY_DAYS * DAY) // MINUTE
    )
    number += _trim(
        transaction, error_minutes, error_minutes.c.minute < now // MINUTE - _ERROR_MINUTES
    )
    number += _trim(transaction, storage_days, storage_days.c.day < now // DAY - _STORAGE_DAYS)
    number += trim_batches(transaction, now)
    number += sum(_trim_beyond(transaction, table, most) for table, most in _MOST.items())
    number += _trim(transaction, counters, (counters.c.n == 0) & _is_unknown(counters))
    if cutoff is None:
        return number
    number += _trim(transaction, annotations, annotations.c.at < cutoff)
    number += _trim(transaction, incidents, incidents.c.id < first_id_at(cutoff))
    number += _trim(transaction, experiments, experiments.c.finished_at < cutoff)
    for table, at in ((profiles, profiles.c.updated_at), (placements, placements.c.since)):
        number += _trim(transaction, table, (at < cutoff) & _is_unknown(table))
    return number + _trim_groups(transaction, cutoff)


def _trim_beyond(transaction: Transaction, table: Table, most: int) -> int:
    """Delete some of the oldest rows of a table, by their numbers, until `most` are left."""
    last = select(func.max(table.c.n)).scalar_subquery()
    return _trim(transaction, table, table.c.n <= last - most)


def _is_unknown(table: Table) -> ColumnElement[bool]:
    """Return the condition that a row is of a function that is not there any more."""
    return table.c.function.not_in(select(functions.c.name))


def _trim(transaction: Transaction, table: Table, is_old: ColumnElement[bool]) -> int:
    key: list[Any] = list(table.primary_key)
    some = select(*key).where(is_old).limit(_AT_ONCE)
    chosen = key[0].in_(some) if len(key) == 1 else tuple_(*key).in_(some)
    return transaction.connection.execute(delete(table).where(chosen)).rowcount


def _trim_groups(transaction: Transaction, cutoff: int) -> int:
    """Delete some groups of errors with their counts, and counts of others that are too old."""
    has_tasks = select(tasks.c.seq).where(tasks.c.error_group == error_groups.c.id).exists()
    is_old = (error_groups.c.last_seen < cutoff) & ~has_tasks
    some = select(error_groups.c.id).where(is_old).limit(_AT_ONCE)
    ids = list(transaction.connection.scalars(some))
    if ids:
        transaction.connection.execute(delete(error_counts).where(error_counts.c.id.in_(ids)))
        transaction.connection.execute(delete(error_groups).where(error_groups.c.id.in_(ids)))
    return len(ids) + _trim(transaction, error_counts, error_counts.c.hour < cutoff // HOUR)

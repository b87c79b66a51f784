"""Incidents as they are kept: lists, one of them, and how many there are of what.

Their ids are in the order of time, so that "since" is read from the index of the ids.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.failures.incidents import (
    CulpritCount,
    IncidentPage,
    StoredIncident,
    TaskToday,
)
from pooldeck_server.domain.tasks.ids import first_id_at
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.queries.cursors import read_cursor, write_cursor
from pooldeck_server.store.tables import incidents as deaths
from pooldeck_server.store.tables import tasks

_ABOUT: Final = 10 * SECOND  # between a death and the end of what it cut off


def incidents(
    connection: Connection,
    limit: int = 50,
    cursor: str | None = None,
    pool: str | None = None,
    *,
    function: str | None = None,
    cause: str | None = None,
    since: int | None = None,
) -> IncidentPage:
    """Return up to `limit` incidents, the newest first, from `cursor` on.

    `function` is the culprit of those that are wanted, or a suspect; `cause` is in the words of the
    incident, `since` in microseconds since the epoch.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    newest = (
        select(deaths.c.n, deaths.c.incident)
        .where(deaths.c.n < read_cursor(cursor))
        .where(*_conditions(pool, function, cause, since))
        .order_by(deaths.c.n.desc())
        .limit(limit + 1)
        .subquery()
    )
    query = select(json_rows((newest.c.n, func.json(newest.c.incident))))
    rows = fetch(connection, query, list[tuple[int, StoredIncident]])
    following = rows[limit - 1][0] if len(rows) > limit else None
    return IncidentPage(tuple(item for _, item in rows[:limit]), write_cursor(following))


def incident(connection: Connection, incident_id: str) -> StoredIncident | None:
    query = select(deaths.c.incident).where(deaths.c.id == incident_id)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else msgspec.json.decode(found, type=StoredIncident)


def death_of(connection: Connection, task_id: str, at: int) -> StoredIncident | None:
    """Return the death by which a task lost its worker about a moment (microseconds).

    None where none of that time is kept in which it had a part.
    """
    involved = func.json_each(deaths.c.incident, "$.bystanders").table_valued("value")
    is_beside = select(involved.c.value).where(_of(involved.c.value, "task") == task_id).exists()
    query = (
        select(deaths.c.incident)
        .where(deaths.c.id.between(first_id_at(at - _ABOUT), first_id_at(at + _ABOUT)))
        .where(or_(_field("culprit.task") == task_id, is_beside))
        .order_by(deaths.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else msgspec.json.decode(found, type=StoredIncident)


def incident_counts(connection: Connection) -> dict[str, int]:
    counted = select(deaths.c.pool, func.count().label("n")).group_by(deaths.c.pool).subquery()
    query = select(func.json_group_object(counted.c.pool, counted.c.n))
    return fetch(connection, query, dict[str, int])


def incident_culprits(
    connection: Connection, pool: str | None = None, since: int | None = None
) -> list[CulpritCount]:
    """Return how many workers died of which function, the most deadly first.

    `since` is microseconds since the epoch.
    """
    culprit = _field("culprit.function").label("function")
    counted = (
        select(culprit, func.count().label("n"))
        .where(*_conditions(pool, None, None, since))
        .group_by(culprit)
        .order_by(func.count().desc(), culprit)
    )
    return fetch_all(connection, counted, CulpritCount)


def incident_times(connection: Connection, since: int) -> list[int]:
    """Return when the workers died that did since `since`; microseconds, oldest first."""
    recent = (
        select(_field("detected_at").label("at"))
        .where(deaths.c.id >= first_id_at(since))
        .order_by(deaths.c.id)
    )
    return list(connection.scalars(recent))


def tasks_today(connection: Connection, ids: Iterable[str]) -> dict[str, TaskToday]:
    """Return what has become of the tasks of these ids, by id; those that are gone are left out."""
    named = select(tasks).where(tasks.c.id.in_(list(ids)))
    return {task.id: task for task in fetch_all(connection, named, TaskToday)}


def _conditions(
    pool: str | None, function: str | None, cause: str | None, since: int | None
) -> Iterator[ColumnElement[bool]]:
    if pool is not None:
        yield deaths.c.pool == pool
    if function is not None:
        yield or_(_field("culprit.function") == function, _is_suspect(function))
    if cause is not None:
        yield _field("cause") == cause
    if since is not None:
        yield deaths.c.id >= first_id_at(since)


def _field(path: str) -> ColumnElement[Any]:
    return func.json_extract(deaths.c.incident, f"$.{path}")


def _of(value: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return func.json_extract(value, f"$.{name}")


def _is_suspect(function: str) -> ColumnElement[bool]:
    suspects = func.json_each(deaths.c.incident, "$.suspects").table_valued("value")
    named = _of(suspects.c.value, "function") == function
    return select(suspects.c.value).where(named).exists()

"""The data of the pages of incidents, each read in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.failures.incidents import (
    CulpritCount,
    IncidentPage,
    StoredIncident,
    TaskToday,
)
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store import queries
from pooldeck_server.web.pages.incidents.listing import IncidentsQuery

OTHERS: Final = 5
"""How many others like it the report of an incident lists."""

_LAST_LINES: Final = 8
_PAGE_SIZE: Final = 50
_NEARBY: Final = 15 * MINUTE  # microseconds before and after it, in which things are near it


class IncidentData(Struct, frozen=True):
    """An incident with what belongs to it.

    `tasks` are those it was about, as they are today, and `gone` those that were deleted, with when
    that was as far as it is known (microseconds since the epoch); `others` the latest of the same
    cause and culprit; `nearby` what was done in its pool about that time. `accused` is the culprit,
    or who alone is suspected, as a task, and `last_lines` are its last words in that worker.
    """

    incident: StoredIncident
    tasks: Mapping[str, TaskToday]
    gone: Mapping[str, int | None]
    others: Sequence[StoredIncident]
    nearby: Sequence[StoredAnnotation]
    accused: StoredTask | None = None
    last_lines: Sequence[StoredLine] = ()


def ids_of(incident: StoredIncident) -> list[str]:
    ran = (*filter(None, (incident.culprit,)), *incident.suspects)
    return [each.task for each in ran] + [each.task for each in incident.bystanders]


def read(
    connection: Connection, wanted: IncidentsQuery, cursor: str | None, now: int
) -> tuple[IncidentPage, list[CulpritCount]]:
    since = wanted.after(now)
    pool = wanted.pool or None
    found = queries.incidents(
        connection,
        _PAGE_SIZE,
        cursor,
        pool,
        function=wanted.function or None,
        cause=wanted.cause or None,
        since=since,
    )
    return found, queries.incident_culprits(connection, pool, since)


def read_incident(connection: Connection, incident_id: str) -> IncidentData:
    """Read an incident with what belongs to it.

    Raises:
        NotFound: If there is no such incident.
    """
    found = queries.incident(connection, incident_id)
    if found is None:
        raise NotFound(f"there is no incident {incident_id}")
    function = found.culprit.function if found.culprit else None
    others = queries.incidents(connection, OTHERS + 1, function=function, cause=found.cause)
    accused = _accused(connection, found)
    since, until = found.detected_at - _NEARBY, found.detected_at + _NEARBY
    return IncidentData(
        incident=found,
        tasks=queries.tasks_today(connection, ids_of(found)),
        gone=queries.gone_tasks(connection, ids_of(found)),
        others=others.items,
        nearby=queries.annotations(connection, since=since, until=until, pool=found.pool),
        accused=accused,
        last_lines=_last_lines(connection, found, accused) if accused else (),
    )


def _accused(connection: Connection, incident: StoredIncident) -> StoredTask | None:
    ran = (*filter(None, (incident.culprit,)), *incident.suspects)
    return queries.task(connection, ran[0].task) if len(ran) == 1 else None


def _last_lines(
    connection: Connection, incident: StoredIncident, task: StoredTask
) -> Sequence[StoredLine]:
    """Return the last lines of the attempt that ran in the worker that died."""
    attempts = queries.attempts(connection, task.id)
    number = next(
        (each.attempt for each in reversed(attempts) if each.worker == incident.worker), None
    )
    if number is None:
        return ()
    return queries.log_window(connection, task.id, LogWindow(_LAST_LINES, number))

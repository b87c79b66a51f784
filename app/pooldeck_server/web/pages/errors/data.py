"""The data of the pages of errors, each read in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.failures.error_groups import (
    GroupFilter,
    GroupPage,
    GroupReport,
    GroupState,
)
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store import queries

DAYS: Final = 7
"""How far back the page of a group looks."""

MOST_RETRYABLE: Final = 10_001
"""The most tasks of a group that are counted."""

_PAGE_SIZE: Final = 50
_BY_DEATHS: Final = frozenset({ErrorKind.CRASHED, ErrorKind.BYSTANDER})
_TASKS: Final = 10


class ErrorsData(Struct, frozen=True):
    """A page of groups, and how many groups there are in each state.

    `messages` are some of each group's, by its id, where they tell which parts of them differ.
    """

    page: GroupPage
    counts: Mapping[GroupState, int]
    messages: Mapping[str, Sequence[str]] = {}


class ErrorGroupData(Struct, frozen=True):
    """A group with the attempts of its last task, and its latest tasks.

    `messages` are some of its own, where they tell which parts of them differ.
    `incident` is the death that the last task was cut off by, where it was by one that is kept.
    `gone` is the last task where it was deleted. `retryable` tasks ended with it, counted up to
    `MOST_RETRYABLE`.
    """

    report: GroupReport
    attempts: Sequence[StoredAttempt]
    tasks: Sequence[StoredTask]
    gone: Mapping[str, int | None]
    retryable: int
    messages: Sequence[str] = ()
    incident: StoredIncident | None = None


def read(connection: Connection, wanted: GroupFilter, cursor: str | None, now: int) -> ErrorsData:
    page = queries.error_groups(connection, wanted, now, _PAGE_SIZE, cursor)
    return ErrorsData(
        page,
        queries.error_group_counts(connection),
        queries.error_messages(connection, [report.group for report in page.items]),
    )


def read_group(connection: Connection, group_id: str, now: int) -> ErrorGroupData:
    """Read a group with what belongs to it.

    Raises:
        NotFound: If there is no such group.
    """
    report = queries.error_group(connection, group_id, now, DAYS * 24)
    if report is None:
        raise NotFound(f"there is no group of errors {group_id}")
    group = report.group
    return ErrorGroupData(
        report=report,
        attempts=queries.attempts(connection, group.last_task),
        tasks=queries.tasks(connection, TaskFilter(groups=(group_id,)), _TASKS).items,
        gone=queries.gone_tasks(connection, [group.last_task]),
        retryable=queries.count_in_error_group(connection, group_id, MOST_RETRYABLE),
        messages=queries.error_messages(connection, [group]).get(group_id, ()),
        incident=queries.death_of(connection, group.last_task, group.last_seen)
        if group.kind in _BY_DEATHS
        else None,
    )

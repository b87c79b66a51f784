"""The data of the pages of functions, each read in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.measurements.figures import Activity, Count, Durations, Spread
from pooldeck_server.domain.measurements.run_times import RunTimes
from pooldeck_server.domain.retention import no_task
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store import queries

MINUTES: Final = 60
"""How far back the figures of the list go."""

_LATEST: Final = 10  # tasks that the page of a function lists


class FunctionsData(Struct, frozen=True):
    """The figures of all functions.

    `counts` are of all tasks that are kept, `activity` and `spreads` of those that ended in the
    last `MINUTES`, of which `minute` (since the epoch) is the latest.
    """

    minute: int
    counts: Sequence[Count]
    activity: Sequence[Activity]
    spreads: Mapping[str, Spread]
    last: Mapping[str, int] = {}  # by function the minute in which a task ended last, if asked for


class FunctionData(Struct, frozen=True):
    """The figures of one function: `counts` are those of all, `latest` its latest tasks.

    `task` is the one whose arguments the form is filled with, if with any.
    """

    counts: Sequence[Count]
    durations: Durations
    latest: Sequence[StoredTask]
    run_times: RunTimes
    task: StoredTask | None = None


def read(connection: Connection, now: int, *, with_last: bool = False) -> FunctionsData:
    minute = now // MINUTE
    since = minute - MINUTES + 1
    return FunctionsData(
        minute=minute,
        counts=queries.counts(connection),
        activity=queries.activity(connection, since),
        spreads=queries.spreads(connection, since * 60),
        last=queries.last_minutes(connection) if with_last else {},
    )


def read_function(
    connection: Connection,
    name: str,
    task_id: str | None = None,
    *,
    pool: str,
    period: int,
    now: int,
) -> FunctionData:
    """Read the figures of one function, and a task to fill its form with, if one is named.

    Its run times are those of `period` seconds up to `now` (microseconds), with marks of its pool.

    Raises:
        NotFound: If there is no such task.
    """
    task = queries.task(connection, task_id) if task_id else None
    if task_id and task is None:
        raise no_task(task_id, queries.deleted(connection, "task", task_id))
    return FunctionData(
        counts=queries.counts(connection),
        durations=queries.durations(connection, name),
        latest=queries.tasks(connection, TaskFilter(functions=(name,)), _LATEST).items,
        run_times=queries.run_times(connection, name, pool, period, now),
        task=task,
    )

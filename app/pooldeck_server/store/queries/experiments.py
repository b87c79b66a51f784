"""Experiments as they are kept, and the arguments of real tasks to make one with."""

import msgspec
from sqlalchemy import Connection, func, select

from pooldeck_server.domain.measurements.experiments import SampleCall, StoredExperiment
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.lists import tasks
from pooldeck_server.store.queries.one_task import task
from pooldeck_server.store.tables import experiments as table

_REFERENCE = '"$result"'  # stands for another task's result, and means nothing outside of its task
_LOOKED_AT = 5  # times as many tasks as are wanted


def experiment(connection: Connection, experiment_id: str) -> StoredExperiment | None:
    query = select(table.c.experiment).where(table.c.id == experiment_id)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else msgspec.json.decode(found, type=StoredExperiment)


def experiments(
    connection: Connection, function: str | None = None, limit: int = 50
) -> list[StoredExperiment]:
    """Return up to `limit` experiments, of one function if it is named, the newest first."""
    query = select(table.c.experiment).order_by(table.c.n.desc()).limit(limit)
    if function is not None:
        query = query.where(table.c.function == function)
    newest = query.subquery()
    return fetch(
        connection,
        select(func.json_group_array(func.json(newest.c.experiment))),
        list[StoredExperiment],
    )


def latest_samples(connection: Connection, function: str, limit: int) -> list[SampleCall]:
    """Return different arguments with which a function has lately succeeded, the latest first.

    For functions without sensitive arguments: they are read as people may see them.
    """
    wanted = TaskFilter(states=(State.SUCCEEDED,), functions=(function,))
    found: dict[SampleCall, None] = {}
    for listed in tasks(connection, wanted, _LOOKED_AT * limit).items:
        whole = task(connection, listed.id) if listed.omitted else listed
        if whole is None or whole.args is None or whole.kwargs is None:
            continue
        if _REFERENCE not in whole.args + whole.kwargs and len(found) < limit:
            found[SampleCall(whole.args, whole.kwargs)] = None
    return list(found)

"""The runs of a function around one task, read from an index at that task's place."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, Select, Subquery, func, select, union_all

from pooldeck_server.domain.tasks.attempt import LatestRun
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.task_json import json_object
from pooldeck_server.store.tables import counters, tasks

_Lane: TypeAlias = Select[tuple[int]]
"""The numbers of the tasks of one function, pool and state: an index has them in their order."""


def latest_runs(
    connection: Connection, function: str, seq: int, newer: int = 20, together: int = 60
) -> list[LatestRun]:
    """Return how long tasks of `function` around the task `seq` ran, in order of submission.

    Args:
        connection: Reads.
        function: Its name.
        seq: The number of the task in the middle; it is among them if it ran and ended.
        newer: How many later ones there are at most.
        together: How many there are at most.

    Returns:
        Those that ran and ended. Where some were cancelled before they started, fewer.
    """
    lanes = _lanes(connection, function)
    if not lanes:
        return []
    later = _first(connection, [lane.where(tasks.c.seq > seq) for lane in lanes], newer)
    earlier = [lane.where(tasks.c.seq <= seq) for lane in lanes]
    return _runs(connection, later + _last(connection, earlier, together - len(later)))


def _lanes(connection: Connection, function: str) -> Sequence[_Lane]:
    """Return the lanes that have tasks of `function` which ended."""
    found = select(counters.c.pool, counters.c.state).where(
        counters.c.function == function, counters.c.state.in_(FINAL), counters.c.n > 0
    )
    return [
        select(tasks.c.seq).where(
            tasks.c.function == function, tasks.c.pool == pool, tasks.c.state == state
        )
        for pool, state in connection.execute(found)
    ]


def _first(connection: Connection, lanes: Sequence[_Lane], limit: int) -> list[int]:
    """Return the least numbers of all lanes."""
    found = _together(lane.order_by(tasks.c.seq).limit(limit) for lane in lanes)
    return list(connection.scalars(select(found.c.seq).order_by(found.c.seq).limit(limit)))


def _last(connection: Connection, lanes: Sequence[_Lane], limit: int) -> list[int]:
    """Return the greatest numbers of all lanes."""
    found = _together(lane.order_by(tasks.c.seq.desc()).limit(limit) for lane in lanes)
    return list(connection.scalars(select(found.c.seq).order_by(found.c.seq.desc()).limit(limit)))


def _together(lanes: Iterable[_Lane]) -> Subquery:
    parts = [lane.subquery() for lane in lanes]  # SQLite limits a part of a union only in there
    return union_all(*(select(part.c.seq) for part in parts)).subquery()


def _runs(connection: Connection, seqs: Sequence[int]) -> list[LatestRun]:
    run = json_object({name: tasks.c[name] for name in LatestRun.__struct_fields__})
    query = select(func.json_group_array(run)).where(
        tasks.c.seq.in_(seqs), tasks.c.run_seconds.is_not(None)
    )
    return sorted(fetch(connection, query, list[LatestRun]), key=lambda each: each.seq)

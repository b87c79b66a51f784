"""What may be deleted, what is known of what was, and how much room the database takes.

Tasks are looked for along the index of functions, pools and states, from the oldest on. What was
submitted after a moment has not ended before it, so that each walk ends at the first task that is
too young: however many are kept, a look meets those that go, and few others.
"""

from collections.abc import Collection
from heapq import merge
from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Connection, func, or_, select

from pooldeck_server.domain.retention import (
    DeletedInfo,
    FileRoom,
    KeptLane,
    KeptRules,
    RetentionRules,
    StorageDay,
)
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.ids import first_id_at
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.store.bulk import fetch, fetch_all
from pooldeck_server.store.connections import driver
from pooldeck_server.store.queries.index_plan import AFTER_ALL, counted_lanes, first_from
from pooldeck_server.store.tables import counters, edges, is_kept, links, storage_days, tasks
from pooldeck_server.store.tables import deleted as gone
from pooldeck_server.store.tables import retention as rules_row

_MOST_COUNTED: Final = 100_000


class Old(Struct, frozen=True, array_like=True):
    """A task that may be too old, and the pipeline that it belongs to."""

    seq: int
    created_at: int
    finished_at: int | None
    pipeline: str | None


class Aged(Struct, frozen=True):
    """Tasks that are too old, and the number after which to look on; None at the end."""

    found: tuple[Old, ...]
    next: int | None


class Member(Struct, frozen=True, array_like=True):
    """A task, and the pipeline that it belongs to, if any."""

    seq: int
    pipeline: str | None


class PipelineAge(Struct, frozen=True, array_like=True):
    """The tasks of a pipeline that are of one function and state; when the last of them ended."""

    function: str
    state: State
    last_end: int | None


follower = tasks.alias("follower")
place = links.alias("place")


def is_needed(seq: Column[int], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a task comes after the one numbered `seq` and may ask for it.

    One that has ended does so where it is run again and was never released. `conditions` are on
    the alias `place`: the link of the task that comes after.
    """
    may_ask = or_(follower.c.state.not_in(sorted(FINAL)), place.c.released_at.is_(None))
    after = edges.join(follower, follower.c.seq == edges.c.seq).join(
        place, place.c.seq == edges.c.seq
    )
    return (
        select(edges.c.seq)
        .select_from(after)
        .where(edges.c.needs == seq, may_ask, *conditions)
        .correlate(seq.table)
        .exists()
    )


def kept_rules(connection: Connection) -> KeptRules:
    """Return the rules that were set by hand, and whether tasks may be deleted."""
    row = connection.execute(
        select(rules_row.c.rules, rules_row.c.changed_at, rules_row.c.allowed_at)
    ).one()
    rules = None if row.rules is None else msgspec.json.decode(row.rules, type=RetentionRules)
    return KeptRules(rules, row.changed_at, row.allowed_at)


def final_lanes(connection: Connection) -> list[KeptLane]:
    """Return the functions, pools and states that have tasks which have ended."""
    found = select(counters.c.function, counters.c.pool, counters.c.state, counters.c.n).where(
        counters.c.n > 0, counters.c.state.in_(sorted(FINAL))
    )
    return fetch_all(connection, found, KeptLane)


def aged(connection: Connection, lane: KeptLane, cutoff: int, after: int, limit: int) -> Aged:
    """Return tasks of a lane that ended at `cutoff` (microseconds) or before, the oldest first.

    Up to `limit` tasks with numbers over `after` are looked at. Those that somebody keeps are left
    out.
    """
    rows = (
        select(tasks.c.seq, tasks.c.created_at, tasks.c.finished_at, links.c.pipeline)
        .select_from(tasks.outerjoin(links, links.c.seq == tasks.c.seq))
        .where(
            tasks.c.function == lane.function,
            tasks.c.pool == lane.pool,
            tasks.c.state == lane.state,
            tasks.c.seq > after,
            tasks.c.kept_at.is_(None),
        )
        .order_by(tasks.c.seq)
        .limit(limit)
    )
    looked_at = fetch_all(connection, rows, Old)
    found = tuple(
        each for each in looked_at if each.finished_at is not None and each.finished_at <= cutoff
    )
    is_over = len(looked_at) < limit or looked_at[-1].created_at > cutoff
    return Aged(found, None if is_over else looked_at[-1].seq)


def oldest(
    connection: Connection,
    states: Collection[State],
    after: int,
    limit: int,
    function: str | None = None,
) -> list[Member]:
    """Return the oldest tasks in final `states` that nobody keeps.

    Args:
        connection: A reader's.
        states: Which states.
        after: The number after which to begin.
        limit: How many at most.
        function: Only those of this function.
    """
    wanted = TaskFilter(tuple(states), () if function is None else (function,))
    lanes = counted_lanes(connection, wanted)
    found: list[list[Member]] = []
    for lane in lanes:
        query = lane.between(after + 1, AFTER_ALL, (tasks.c.kept_at.is_(None),))
        first = query.order_by(tasks.c.seq).limit(limit).subquery()
        placed = select(first.c.seq, links.c.pipeline).select_from(
            first.outerjoin(links, links.c.seq == first.c.seq)
        )
        found.append(fetch_all(connection, placed.order_by(first.c.seq), Member))
    return list(islice(merge(*found, key=lambda each: each.seq), limit))


def pipeline_members(connection: Connection, pipeline_id: str) -> list[int]:
    """Return the numbers of the tasks of a pipeline, the newest first."""
    first = select(links.c.seq).where(links.c.pipeline == pipeline_id).subquery()
    return sorted(
        fetch(connection, select(func.json_group_array(first.c.seq)), list[int]), reverse=True
    )


def pipeline_ages(connection: Connection, pipeline_id: str) -> list[PipelineAge] | None:
    """Return what the tasks of a pipeline are, if these may go.

    None where one lives, or is kept by somebody, or needed by a task outside.
    """
    members = links.join(tasks, tasks.c.seq == links.c.seq)
    of_it = links.c.pipeline == pipeline_id
    stays = (
        select(tasks.c.seq)
        .select_from(members)
        .where(of_it, tasks.c.state.not_in(sorted(FINAL)) | is_kept)
        .limit(1)
    )
    outside = is_needed(
        links.c.seq, or_(place.c.pipeline.is_(None), place.c.pipeline != pipeline_id)
    )
    needed = select(links.c.seq).where(of_it, outside).limit(1)
    if connection.scalar(stays) is not None or connection.scalar(needed) is not None:
        return None
    ages = (
        select(tasks.c.function, tasks.c.state, func.max(tasks.c.finished_at).label("last_end"))
        .select_from(members)
        .where(of_it)
        .group_by(tasks.c.function, tasks.c.state)
    )
    return fetch_all(connection, ages, PipelineAge)


def count_submitted_before(connection: Connection, lane: KeptLane, moment: int) -> int:
    """Return how many tasks of a lane were submitted before `moment` (microseconds).

    More than 100,000 are not counted.
    """
    boundary = first_from(connection, first_id_at(moment))
    some = (
        select(tasks.c.seq)
        .where(
            tasks.c.function == lane.function,
            tasks.c.pool == lane.pool,
            tasks.c.state == lane.state,
            tasks.c.seq < boundary,
        )
        .limit(_MOST_COUNTED)
        .subquery()
    )
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def count_kept(connection: Connection) -> int:
    """Return how many tasks somebody keeps."""
    return connection.execute(select(func.count()).select_from(tasks).where(is_kept)).scalar_one()


def deleted(connection: Connection, kind: str, name: str) -> DeletedInfo | None:
    """Return what is known of a deleted task or pipeline, by its id; None if nothing is."""
    found = select(gone.c.id, gone.c.deleted_at, gone.c.fingerprint).where(
        gone.c.id == name, gone.c.kind == kind
    )
    return next(iter(fetch_all(connection, found, DeletedInfo)), None)


def gone_tasks(connection: Connection, ids: Collection[str]) -> dict[str, int | None]:
    """Return those of some ids that no task has, with when it was deleted as far as that is known.

    Times are in microseconds; they are known for some days, where a person deleted it.
    """
    there = connection.scalars(select(tasks.c.id).where(tasks.c.id.in_(ids)))
    missing: dict[str, int | None] = dict.fromkeys(set(ids).difference(there))
    if missing:
        known = select(gone.c.id, gone.c.deleted_at).where(
            gone.c.id.in_(missing), gone.c.kind == "task"
        )
        missing |= {each.id: each.deleted_at for each in connection.execute(known)}
    return missing


def deleted_by_key(connection: Connection, kind: str, key: str) -> DeletedInfo | None:
    """Return the deleted task or pipeline that an idempotency key belonged to; None for none."""
    found = (
        select(gone.c.id, gone.c.deleted_at, gone.c.fingerprint)
        .where(gone.c.idempotency_key == key, gone.c.kind == kind)
        .order_by(gone.c.deleted_at.desc())
        .limit(1)
    )
    return next(iter(fetch_all(connection, found, DeletedInfo)), None)


def stored_days(connection: Connection, latest: int) -> list[StorageDay]:
    """Return what the database held on its `latest` days, the oldest first."""
    newest = select(storage_days).order_by(storage_days.c.day.desc()).limit(latest)
    return sorted(fetch_all(connection, newest, StorageDay), key=lambda each: each.day)


def file_room(connection: Connection) -> FileRoom:
    """Return the size of the database, and what of it is free to be used again."""
    pages, free, size = (
        driver(connection).execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return FileRoom(pages * size, free * size)

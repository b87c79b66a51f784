"""Pipelines and how far they are: lists, and one of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, Select, case, func, select

from pooldeck_server.domain.tasks.pipelines import (
    PipelinePage,
    StepReport,
    StoredPipeline,
    StoredStep,
)
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.queries.cursors import read_cursor, write_cursor
from pooldeck_server.store.tables import links, tasks
from pooldeck_server.store.tables import pipelines as kept


class _Row(Struct, frozen=True, array_like=True):
    n: int
    id: str
    name: str | None
    created_at: int
    steps: tuple[StoredStep, ...]


class _Count(Struct, frozen=True, array_like=True):
    """How many tasks of a step are in a state; `id` is that of any of them."""

    pipeline: str
    step: str
    state: State
    n: int
    id: str


class PipelineOwner(NamedTuple):
    """The pipeline that an idempotency key belongs to."""

    id: str
    fingerprint: str


_Counts: TypeAlias = dict[tuple[str, str], list[_Count]]


def pipeline(connection: Connection, pipeline_id: str) -> StoredPipeline | None:
    rows = _rows(connection, select(kept).where(kept.c.id == pipeline_id))
    return _reports(connection, rows)[0] if rows else None


def step(connection: Connection, pipeline_id: str | None, name: str) -> StoredStep | None:
    """Return a step of a pipeline as it was submitted."""
    rows = _rows(connection, select(kept).where(kept.c.id == pipeline_id))
    return next((each for row in rows for each in row.steps if each.name == name), None)


def pipelines(connection: Connection, limit: int = 20, cursor: str | None = None) -> PipelinePage:
    """Return pipelines, the newest first.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    newest = (
        select(kept)
        .where(kept.c.n < read_cursor(cursor))
        .order_by(kept.c.n.desc())
        .limit(limit + 1)
    )
    rows = _rows(connection, newest)
    following = rows[limit - 1].n if len(rows) > limit else None
    return PipelinePage(tuple(_reports(connection, rows[:limit])), write_cursor(following))


def pipeline_by_key(connection: Connection, key: str) -> PipelineOwner | None:
    query = select(kept.c.id, kept.c.fingerprint).where(kept.c.idempotency_key == key)
    found = connection.execute(query).one_or_none()
    return None if found is None else PipelineOwner(*found)


def pipeline_tasks(connection: Connection, pipeline_id: str) -> dict[str, tuple[str, ...]]:
    """Return the ids of the tasks of each step of a pipeline, in the order of their items."""
    found = (
        select(links.c.step, tasks.c.id)
        .select_from(links.join(tasks, tasks.c.seq == links.c.seq))
        .where(links.c.pipeline == pipeline_id)
        .order_by(tasks.c.seq)
        .subquery()
    )
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for step, task_id in fetch(connection, select(json_rows(found.c)), list[tuple[str, str]]):
        ids[step].append(task_id)
    return {step: tuple(each) for step, each in ids.items()}


def _rows(connection: Connection, query: Select[tuple[object, ...]]) -> list[_Row]:
    return fetch_all(connection, query, _Row, json={"steps"})


def _reports(connection: Connection, rows: Sequence[_Row]) -> list[StoredPipeline]:
    counts = _counts(connection, [row.id for row in rows])
    return [
        StoredPipeline(
            row.id,
            row.name,
            row.created_at,
            tuple(_report(step, counts[row.id, step.name]) for step in row.steps),
        )
        for row in rows
    ]


def _report(step: StoredStep, counts: Iterable[_Count]) -> StepReport:
    found = list(counts)
    number = sum(count.n for count in found)
    return StepReport(
        step, {count.state: count.n for count in found}, found[0].id if number == 1 else None
    )


def _counts(connection: Connection, ids: Sequence[str]) -> _Counts:
    """Return the tasks of pipelines, counted by step and state; those of empty lists are none."""
    is_empty = case((links.c["items"] == 0, 1), else_=0)
    columns = (links.c.pipeline, links.c.step, tasks.c.state)
    counted = (
        select(*columns, func.count().label("n"), func.min(tasks.c.id).label("id"))
        .select_from(links.join(tasks, tasks.c.seq == links.c.seq))
        .where(links.c.pipeline.in_(ids), is_empty == 0)
        .group_by(*columns)
    )
    found: _Counts = defaultdict(list)
    for count in fetch_all(connection, counted, _Count):
        found[count.pipeline, count.step].append(count)
    return found

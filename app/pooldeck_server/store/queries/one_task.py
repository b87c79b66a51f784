"""One task, and its attempts."""

from functools import reduce
from operator import add
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
    union_all,
)

from pooldeck_server.domain.tasks.attempt import StoredAttempt
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store.bulk import fetch_all, fetch_text
from pooldeck_server.store.queries.task_json import LONG_TEXTS, WHOLE_TASK
from pooldeck_server.store.tables import attempts as archive
from pooldeck_server.store.tables import tasks

SMALL: Final = 64 * 1024
"""Characters of a task's long texts together up to which `small_task` reads it."""

_by_id = select(WHOLE_TASK).where(tasks.c.id == bindparam("task_id"))
_length = reduce(add, (func.coalesce(func.length(tasks.c[name]), 0) for name in LONG_TEXTS))
_small_by_id = _by_id.where(_length <= SMALL)
_task = msgspec.json.Decoder(StoredTask)


class KeyOwner(NamedTuple):
    """The task that an idempotency key belongs to."""

    seq: int
    id: str
    fingerprint: str | None


def task(connection: Connection, task_id: str) -> StoredTask | None:
    found = fetch_text(connection, _by_id, task_id=task_id)
    return None if found is None else decoded(found)


def small_task(connection: Connection, task_id: str) -> str | None:
    """Return a task as `decoded` takes it; None if its long texts have over `SMALL` characters."""
    return fetch_text(connection, _small_by_id, task_id=task_id)


def decoded(text: str) -> StoredTask:
    """Return the task that was read as a text.

    Raises:
        msgspec.ValidationError: If the text is not of one.
    """
    return _task.decode(text)


def task_by_key(connection: Connection, key: str) -> KeyOwner | None:
    query = select(tasks.c.seq, tasks.c.id, tasks.c.fingerprint)
    found = connection.execute(query.where(tasks.c.idempotency_key == key)).one_or_none()
    return None if found is None else KeyOwner(*found)


def are_arguments_erased(connection: Connection, task_id: str) -> bool:
    query = select(tasks.c.seq).where(
        tasks.c.id == task_id,
        tasks.c.state.in_(FINAL),
        or_(tasks.c.shown_args.is_not(None), tasks.c.shown_kwargs.is_not(None)),
    )
    return connection.execute(query).one_or_none() is not None


def attempts(connection: Connection, task_id: str) -> list[StoredAttempt]:
    """Return the attempts of a task that a worker had or has, the oldest first."""
    earlier = select(*_fields_in(archive)).join(tasks, tasks.c.seq == archive.c.seq)
    archived = exists().where(archive.c.seq == tasks.c.seq, archive.c.attempt == tasks.c.attempt)
    present = select(*_fields_in(tasks)).where(tasks.c.attempt > 0, not_(archived))
    both = union_all(*(query.where(tasks.c.id == task_id) for query in (earlier, present)))
    ordered = both.order_by(both.selected_columns.attempt)
    return fetch_all(connection, ordered, StoredAttempt)


def _fields_in(table: Table) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in StoredAttempt.__struct_fields__]

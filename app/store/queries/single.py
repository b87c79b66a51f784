"""One task and what belongs to it; the catalogue."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from app.domain.tasks import LogEntry, StoredTask
from app.store.bulk import fetch
from app.store.queries.shown import WHOLE_TASK, json_object
from app.store.tables import functions, tasks
from app.store.tables import logs as log_lines
from pooldeck.functions import FunctionSpec

_by_id = select(WHOLE_TASK).where(tasks.c.id == bindparam("task_id"))
_task = msgspec.json.Decoder(StoredTask)
_spec = msgspec.json.Decoder(FunctionSpec)


class KeyOwner(NamedTuple):
    """The task that an idempotency key belongs to."""

    seq: int
    id: str
    fingerprint: str | None


def task(connection: Connection, task_id: str) -> StoredTask | None:
    """Return the task of that id, or None."""
    found = connection.execute(_by_id, {"task_id": task_id}).scalar_one_or_none()
    return None if found is None else _task.decode(found)


def task_by_key(connection: Connection, key: str) -> KeyOwner | None:
    """Return the task that was submitted with the idempotency key `key`, or None."""
    query = select(tasks.c.seq, tasks.c.id, tasks.c.fingerprint)
    found = connection.execute(query.where(tasks.c.idempotency_key == key)).one_or_none()
    return None if found is None else KeyOwner(*found)


def logs(connection: Connection, task_id: str, after: int = 0, limit: int = 1000) -> list[LogEntry]:
    """Return up to `limit` lines of the log of a task's latest attempt, from number `after` + 1."""
    lines = (
        select(log_lines)
        .join(tasks, tasks.c.seq == log_lines.c.seq)
        .where(tasks.c.id == task_id)
        .where(log_lines.c.attempt == tasks.c.attempt, log_lines.c.n > after)
        .order_by(log_lines.c.n)
        .limit(limit)
        .subquery()
    )
    line = json_object({name: lines.c[name] for name in LogEntry.__struct_fields__})
    return fetch(connection, select(func.json_group_array(line)), list[LogEntry])


def catalogue(connection: Connection) -> list[FunctionSpec]:
    """Return the functions that workers reported last, by name."""
    specs = connection.execute(select(functions.c.spec).order_by(functions.c.name))
    return [_spec.decode(spec) for spec in specs.scalars()]

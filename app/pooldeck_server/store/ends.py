"""The ends of tasks that somebody waits to be told of, written in the commit of each end.

Whatever ends a task leaves its move in the transaction, so none is forgotten. What is written names
its task by its id alone: it outlives it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import uuid4

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from pooldeck_server.domain.alerts.callbacks import (
    TASK_ENDED,
    EndedTask,
    EndMessage,
    host_of,
)
from pooldeck_server.domain.alerts.deliveries import DeliveryState
from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.store.bulk import Rows, json_rows
from pooldeck_server.store.connections import driver
from pooldeck_server.store.tables import callback_deliveries, callbacks, error_groups, tasks


class _Asked(Struct, frozen=True, array_like=True):
    """A task whose end is to be told, as it is now."""

    seq: int
    url: str
    attempt: int
    created_at: int
    started_at: int | None
    error_kind: str | None
    error_type: str | None


_ended = Rows("seq")
_find_asked = (
    select(
        json_rows(
            (
                callbacks.c.seq,
                callbacks.c.url,
                tasks.c.attempt,
                tasks.c.created_at,
                tasks.c.started_at,
                tasks.c.error_kind,
                error_groups.c.type,
            )
        )
    )
    .select_from(_ended.table)
    .join(callbacks, callbacks.c.seq == _ended["seq"])
    .join(tasks, tasks.c.seq == callbacks.c.seq)
    .outerjoin(error_groups, error_groups.c.id == tasks.c.error_group)
)
_Told: TypeAlias = tuple[str, str, str, str, str, int, int, int, str]
_delivery = Rows(
    *("message", "task", "url", "host", "state", "tries", "created_at", "next_at", "payload")
)
_insert_deliveries = _delivery.insert_into(callback_deliveries)
_ANY: Final = "SELECT 1 FROM callbacks LIMIT 1"  # asked with each commit: not through SQLAlchemy


def tell_ends(connection: Connection, moves: Iterable[TaskChanged]) -> None:
    """Write what is to be told of the tasks that ended with `moves`, of those that asked for it."""
    ends = [move for move in moves if move.state in FINAL]
    if not ends or driver(connection).execute(_ANY).fetchone() is None:
        return
    rows = [(seq,) for seq in dict.fromkeys(move.seq for move in ends)]
    asked = {each.seq: each for each in _ended.fetch(connection, _find_asked, _Asked, rows)}
    told = [_row(asked[move.seq], move) for move in ends if move.seq in asked]
    if told:
        _delivery.execute(connection, _insert_deliveries, told)


def _row(asked: _Asked, move: TaskChanged) -> _Told:
    ended_at = asked.created_at if move.finished_at is None else move.finished_at
    data = EndedTask(
        id=move.id,
        function=move.function,
        pool=move.pool,
        state=move.state.value,
        attempt=asked.attempt,
        created_at=_time(asked.created_at),
        started_at=None if asked.started_at is None else _time(asked.started_at),
        finished_at=_time(ended_at),
        error_kind=asked.error_kind,
        error_type=asked.error_type,
        path=f"/api/v1/tasks/{move.id}",
    )
    payload = msgspec.json.encode(EndMessage(TASK_ENDED, _time(ended_at), data)).decode()
    state = DeliveryState.WAITING.value
    name = f"msg_{uuid4().hex}"
    return name, move.id, asked.url, host_of(asked.url), state, 0, ended_at, ended_at, payload


def _time(moment: int) -> str:
    text = datetime.fromtimestamp(seconds(moment), UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")

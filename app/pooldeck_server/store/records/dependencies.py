"""Tasks that depend on others: stored as such, released, stopped, and spread over a list.

Each of these moves happens to a task that still waits for others, or not at all: so whoever
decides on them may do it twice, and may have decided from what was read a moment ago.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.changes import End, TaskChanged
from pooldeck_server.domain.tasks.dependencies import Dependency, DependentTask
from pooldeck_server.domain.tasks.pipelines import Dependencies
from pooldeck_server.domain.tasks.releases import FanOut, Refusal, Release, Stop
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.records.error_groups import count_errors
from pooldeck_server.store.records.fence import Held, erased, held_rows
from pooldeck_server.store.records.waiting import cancel, insert_tasks
from pooldeck_server.store.tables import edges, is_awaiting, links, pipelines, tasks
from pooldeck_server.store.transaction import Transaction

T = TypeVar("T", bound=Release | Refusal | Stop)

_dependent = Rows.of(DependentTask)
_insert_dependents = _dependent.insert_into(links)
_need = Rows.of(Dependency)
_insert_needs = _need.insert_into(edges)


def add_dependencies(transaction: Transaction, found: Dependencies) -> None:
    """Store what tasks, which the same transaction has stored, depend on.

    Raises:
        InvalidRequest: If one of those that they come after has been deleted.
    """
    if (pipeline := found.pipeline) is not None:
        steps = msgspec.json.encode(pipeline.steps).decode()
        row = msgspec.structs.asdict(pipeline) | {"steps": steps}
        transaction.connection.execute(insert(pipelines).values(row))
    _dependent.execute(transaction.connection, _insert_dependents, found.tasks)
    _need.execute(transaction.connection, _insert_needs, found.needs)
    needed = {need.needs: need.name for need in found.needs}
    there = _task.fetch(transaction.connection, _find_there, int, [(seq,) for seq in needed])
    for seq in needed.keys() - set(there):
        raise InvalidRequest(f'after: there is no task "{needed[seq][:100]}"', field="/after")


_task = Rows("seq")
_find_there = (
    select(func.json_group_array(tasks.c.seq))
    .select_from(_task.table)
    .join(tasks, tasks.c.seq == _task["seq"])
)
_find_awaiting = (
    select(held_rows())
    .select_from(_task.table)
    .join(tasks, tasks.c.seq == _task["seq"])
    .where(is_awaiting)
)


def _still_awaiting(transaction: Transaction, batch: Sequence[T]) -> list[tuple[T, Held]]:
    """Return those of `batch` whose task still waits for others."""
    rows = [(item.seq,) for item in batch]
    found = _task.fetch(transaction.connection, _find_awaiting, Held, rows)
    held = {task.seq: task for task in found}
    return [(item, held[item.seq]) for item in batch if item.seq in held]


_released = Rows.of(Release, long=("args", "kwargs"))


def _given(name: str) -> ColumnElement[str]:
    """Return arguments as people saw them before references were replaced; null if none were."""
    before = func.coalesce(tasks.c[f"shown_{name}"], tasks.c[name])
    return case((tasks.c[name] != _released[name], before), else_=None)


_note_release = (
    update(links)
    .where(links.c.seq == _released["seq"], links.c.seq == tasks.c.seq)
    .values(
        released_at=_released["released_at"],
        item=_released["item"],
        items=_released["items"],
        given_args=_given("args"),
        given_kwargs=_given("kwargs"),
    )
)
_release = (
    update(tasks)
    .where(tasks.c.seq == _released["seq"], is_awaiting)
    .values(**_released.columns("state", "run_at", "args", "kwargs", "shown_args", "shown_kwargs"))
)


def release_after(transaction: Transaction, batch: Sequence[Release]) -> list[TaskChanged]:
    """Queue tasks whose others have ended, or schedule them for their time; return the moves."""
    passed = _still_awaiting(transaction, batch)
    rows = [item for item, _ in passed]
    _released.execute(transaction.connection, _note_release, rows)
    _released.execute(transaction.connection, _release, rows)
    return transaction.moved([task.moved_to(item.state) for item, task in passed])


_stopped = Rows.of(Stop)
_note_stop = (
    update(links)
    .where(links.c.seq == _stopped["seq"])
    .values(stopped_by=_stopped["stopped_by"], items=_stopped["items"])
)


def stop_after(transaction: Transaction, batch: Sequence[Stop], now: int) -> list[TaskChanged]:
    """Cancel tasks because of what became of those before them; return the moves.

    `now` is in microseconds since the epoch.
    """
    passed = [item for item, _ in _still_awaiting(transaction, batch)]
    _stopped.execute(transaction.connection, _note_stop, passed)
    return cancel(transaction, [item.seq for item in passed], now)


_refused = Rows("seq", "finished_at", "error_kind", "error", "error_group", long=("error",))
_refuse = (
    update(tasks)
    .where(tasks.c.seq == _refused["seq"], is_awaiting)
    .values(
        state=State.FAILED,
        **_refused.columns("finished_at", "error_kind", "error", "error_group"),
        recorded_at=_refused["finished_at"],
        **erased,
    )
)


def refuse_after(transaction: Transaction, batch: Sequence[Refusal], now: int) -> list[TaskChanged]:
    """Let tasks fail that what came before makes no arguments for; return the moves.

    `now` is in microseconds since the epoch.
    """
    passed = _still_awaiting(transaction, batch)
    rows = [(item.seq, now, item.kind, item.error, item.group) for item, _ in passed]
    _refused.execute(transaction.connection, _refuse, rows)
    ends = [
        (End(item.seq, 0, State.FAILED, now, error=item.error, error_group=item.group), task)
        for item, task in passed
    ]
    count_errors(transaction, ends)
    return transaction.moved([task.moved_to(State.FAILED, finished_at=now) for _, task in passed])


_follower = Rows("seq", "head")
_add_followers = (
    upsert(edges)
    .from_select(
        ["needs", "seq", "name", "rule"],
        select(_follower["seq"], edges.c.seq, edges.c.name, edges.c.rule)
        .select_from(_follower.table)
        .join(edges, edges.c.needs == _follower["head"]),
    )
    .on_conflict_do_nothing()
)


def fan_out(transaction: Transaction, fan: FanOut, now: int) -> list[TaskChanged]:
    """Spread a task that stands for all items of a list over them; return the moves.

    It becomes the first of them. What came after it comes after all of them, or after nothing
    where the list is empty: it is cancelled then. `now` is in microseconds since the epoch.
    """
    head = fan.head
    if not _still_awaiting(transaction, [head]):
        return []
    if isinstance(head, Stop):
        transaction.connection.execute(delete(edges).where(edges.c.needs == head.seq))
        return stop_after(transaction, [head], now)
    moves = release_after(transaction, [head])
    moves += insert_tasks(transaction, fan.others)
    add_dependencies(transaction, Dependencies(fan.places, ()))
    rows = [(task.seq, head.seq) for task in fan.others]
    _follower.execute(transaction.connection, _add_followers, rows)
    return moves

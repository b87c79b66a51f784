"""A task on its way through a worker: claimed, started, ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from pooldeck_server.domain.tasks.changes import Claim, End, Start, TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.records.error_groups import count_errors
from pooldeck_server.store.records.fence import (
    Held,
    attempts,
    erased,
    first_per_task,
    is_claimed,
    is_in_hand,
    now,
    pass_fence,
)
from pooldeck_server.store.tables import counters, is_waiting, tasks
from pooldeck_server.store.transaction import Transaction

LONG_TEXTS = ("result", "error")
"""The long ones of the texts that an end brings."""

_wanted = Rows.of(Claim)
_is_claimable = (
    tasks.c.seq == _wanted["seq"],
    tasks.c.attempt == _wanted["attempt"] - 1,
    tasks.c.edits == _wanted["edits"],
    is_waiting,
)
_find_claimable = (
    select(func.json_group_array(tasks.c.seq)).select_from(_wanted.table).where(*_is_claimable)
)
_claim = update(tasks).where(*_is_claimable).values(attempt=_wanted["attempt"], claimed=1)
_release = (
    update(tasks)
    .where(tasks.c.seq == attempts["seq"], tasks.c.attempt == attempts["attempt"], is_claimed)
    .values(attempt=tasks.c.attempt - 1, claimed=0)
)


def claim(transaction: Transaction, batch: Sequence[Claim]) -> frozenset[int]:
    """Claim queued tasks for the attempt that comes next.

    Returns:
        The `seq` of those that were still free, and as they were when they were read. Only these
        may reach a worker, and only after the commit. Their state stays queued.
    """
    firsts = first_per_task(batch)
    claimed = frozenset(_wanted.fetch(transaction.connection, _find_claimable, int, firsts))
    granted = [item for item in firsts if item.seq in claimed]
    _wanted.execute(transaction.connection, _claim, granted)
    return claimed


def release(transaction: Transaction, batch: Sequence[Claim]) -> None:
    """Take back claims that never reached a worker; what has started since stays."""
    pairs = [(item.seq, item.attempt) for item in first_per_task(batch)]
    attempts.execute(transaction.connection, _release, pairs)


def release_all(transaction: Transaction) -> None:
    """Take back all claims of tasks that have not started: no worker is there to have them."""
    released = update(tasks).where(tasks.c.pool.in_(select(counters.c.pool).distinct()), is_claimed)
    transaction.connection.execute(released.values(attempt=tasks.c.attempt - 1, claimed=0))


_started = Rows.of(Start)
_start = (
    update(tasks)
    .where(tasks.c.seq == _started["seq"], tasks.c.attempt == _started["attempt"], is_claimed)
    .values(
        state=State.RUNNING,
        **_started.columns("started_at", "queued_seconds", "worker", "pid", "thread"),
    )
)


def start(transaction: Transaction, batch: Sequence[Start]) -> list[TaskChanged]:
    """Move claimed tasks to running, and return the moves."""
    passed = pass_fence(transaction.connection, batch, lambda _: State.RUNNING)
    _started.execute(transaction.connection, _start, [item for item, _ in passed])
    return transaction.moved(
        [task.moved_to(State.RUNNING, waited=item.queued_seconds) for item, task in passed]
    )


def known_of_start(ended: Rows) -> dict[str, ColumnElement[Any]]:
    """Return what is known of the starts of attempts that ended: as told again, else as before."""
    names = ("started_at", "queued_seconds", "worker", "pid", "thread")
    return {name: func.coalesce(ended[name], tasks.c[name]) for name in names}


_ended = Rows.of(End, long=LONG_TEXTS)
_of_end = [name for name in End.__struct_fields__ if name not in {"seq", "attempt"}]
_end = (
    update(tasks)
    .where(tasks.c.seq == _ended["seq"], tasks.c.attempt == _ended["attempt"], is_in_hand)
    .values(
        _ended.columns(*_of_end)
        | known_of_start(_ended)
        | {"claimed": 0, "recorded_at": now}
        | erased
    )
)


def end(transaction: Transaction, batch: Sequence[End]) -> list[TaskChanged]:
    """Move claimed and running tasks to their final states, and return the moves.

    What their starts told is kept unless the ends tell it again.
    """
    passed = pass_fence(transaction.connection, batch, lambda item: item.state)
    _ended.execute(transaction.connection, _end, [item for item, _ in passed])
    count_errors(transaction, passed)
    return transaction.moved([_end_move(item, task) for item, task in passed])


def _end_move(item: End, task: Held) -> TaskChanged:
    waited = task.queued_seconds if item.queued_seconds is None else item.queued_seconds
    return task.moved_to(
        item.state,
        waited=waited,
        ran=item.run_seconds,
        finished_at=item.finished_at,
        failure=item,
    )

"""A task's next attempt, begun by the server or by hand; the one before it goes to `attempts`."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import ColumnElement, func, null, select, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.tasks.changes import End, Rerun, TaskChanged
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.records.attempts import LONG_TEXTS, known_of_start
from pooldeck_server.store.records.error_groups import count_errors
from pooldeck_server.store.records.fence import Held, find_in_hand, held_rows, is_in_hand, now
from pooldeck_server.store.tables import attempts as archive
from pooldeck_server.store.tables import links, tasks
from pooldeck_server.store.transaction import Transaction

_columns = tuple(archive.c.keys())
_of_attempt = (*_columns, "progress_fraction", "progress_message")
_blank: dict[str, ColumnElement[Any]] = {
    name: null() for name in _of_attempt if name not in {"seq", "attempt", "state"}
}

_rerun = Rows(*End.__struct_fields__, "run_at", "next_state", long=LONG_TEXTS)
_told = (
    _rerun.columns(*(name for name in _columns if name != "recorded_at"))
    | known_of_start(_rerun)
    | {"recorded_at": now}
)
_archive_ended = insert(archive).from_select(
    _columns,
    select(*(_told[name] for name in _columns))
    .select_from(_rerun.table)
    .join(tasks, tasks.c.seq == _rerun["seq"]),
)
_begin_again = (
    update(tasks)
    .where(tasks.c.seq == _rerun["seq"], tasks.c.attempt == _rerun["attempt"], is_in_hand)
    .values(
        state=_rerun["next_state"],
        claimed=0,
        reruns=tasks.c.reruns + 1,
        run_at=_rerun["run_at"],
        **_blank,
    )
)


def rerun(transaction: Transaction, batch: Sequence[Rerun]) -> list[TaskChanged]:
    """Put tasks whose attempts ended back in the queue, or on the schedule; return the moves.

    A claimed task that goes back to the queue is among them, though its state stays. Nothing of
    these moves counts as an end.
    """
    passed = find_in_hand(transaction.connection, batch)  # from there the table allows both
    rows = [(*astuple(item.end), item.run_at, item.state) for item, _ in passed]
    _rerun.execute(transaction.connection, _archive_ended, rows)
    _rerun.execute(transaction.connection, _begin_again, rows)
    count_errors(transaction, ((item.end, task) for item, task in passed))
    return transaction.moved(
        [
            task.moved_to(
                item.state,
                waited=item.end.queued_seconds,
                ran=item.end.run_seconds,
                failure=item.end,
            )
            for item, task in passed
        ]
    )


_task = Rows("seq", "run_at")
_is_retryable = (
    tasks.c.seq == _task["seq"],
    tasks.c.state.in_(sorted(FINAL)),
    tasks.c.shown_args.is_(None),  # what is shown instead of erased arguments
    tasks.c.shown_kwargs.is_(None),
)
_find_retryable = select(held_rows()).select_from(_task.table).where(*_is_retryable)
_archive_present = (
    insert(archive)
    .from_select(
        _columns,
        select(*(tasks.c[name] for name in _columns))
        .select_from(_task.table)
        .join(tasks, tasks.c.seq == _task["seq"])
        .where(tasks.c.attempt > 0),
    )
    .on_conflict_do_nothing()  # cancelled while it waited to be run again
)
_retry = (
    update(tasks)
    .where(*_is_retryable)
    .values(state=State.QUEUED, claimed=0, reruns=0, run_at=_task["run_at"], **_blank)
)
_number = Rows("seq")
_find_unreleased = (
    select(func.json_group_array(links.c.seq))
    .select_from(_number.table)
    .join(links, links.c.seq == _number["seq"])
    .where(links.c.released_at.is_(None))
)
_wait_again = (
    update(tasks)
    .where(tasks.c.seq == _number["seq"], tasks.c.state.in_(sorted(FINAL)))
    .values(state=State.SCHEDULED, run_at=null(), **_blank)
)
_unstop = update(links).where(links.c.seq == _number["seq"]).values(stopped_by=null(), items=null())


def retry(transaction: Transaction, seqs: Sequence[int], now: int) -> list[TaskChanged]:
    """Queue final tasks for another attempt, asked for by hand, and return the moves.

    Those that ended while they waited for others wait for them again. Those whose sensitive
    arguments are erased stay as they are. `now` is in microseconds since the epoch.
    """
    wanted = [(seq, now) for seq in dict.fromkeys(seqs)]
    found = _task.fetch(transaction.connection, _find_retryable, Held, wanted)
    waiting = _wait_for_others(transaction, found)
    rows = [(task.seq, now) for task in found if task.seq not in waiting]
    _task.execute(transaction.connection, _archive_present, rows)
    _task.execute(transaction.connection, _retry, rows)
    return transaction.moved(
        [task.moved_to(State.SCHEDULED if task.seq in waiting else State.QUEUED) for task in found]
    )


def _wait_for_others(transaction: Transaction, batch: Sequence[Held]) -> frozenset[int]:
    """Let those of `batch` wait again that ended before they were released; return which."""
    rows = [(task.seq,) for task in batch]
    found = frozenset(_number.fetch(transaction.connection, _find_unreleased, int, rows))
    waiting = [(seq,) for seq in found]
    _number.execute(transaction.connection, _wait_again, waiting)
    _number.execute(transaction.connection, _unstop, waiting)
    return found

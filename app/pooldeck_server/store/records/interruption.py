"""What becomes of tasks that were in hand when an earlier server ended."""

import msgspec
from sqlalchemy import bindparam, select

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.tasks.changes import End, Rerun, TaskChanged
from pooldeck_server.domain.tasks.reruns import rerun_at
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.records.attempts import end
from pooldeck_server.store.records.fence import Held, held_rows, is_in_hand
from pooldeck_server.store.records.reruns import rerun
from pooldeck_server.store.tables import counters, tasks
from pooldeck_server.store.transaction import Transaction


class _Left(Held, frozen=True, array_like=True):
    """A task that was left in hand."""

    options: str | None
    reruns: int


_left_in_hand = (
    select(tasks)
    .where(
        tasks.c.pool.in_(select(counters.c.pool).distinct()),  # so that an index finds them
        tasks.c.state.in_((State.RUNNING, State.QUEUED)),
        is_in_hand,
    )
    .limit(bindparam("limit"))
    .subquery()
)
_find_left_in_hand = select(held_rows(_left_in_hand, _Left))


def interrupt(transaction: Transaction, now: int, limit: int = 1000) -> list[TaskChanged]:
    """Record up to `limit` tasks that an earlier server left in hand: as lost, or to be run again.

    Called at the start, before anything is handed out, until it returns no more moves. `now` is in
    microseconds since the epoch.
    """
    left = fetch(transaction.connection, _find_left_in_hand, list[_Left], limit=limit)
    lost, again = [], []
    for task in left:
        if _may_run_again(task, now):
            again.append(Rerun(_end(task, now, "It is idempotent, so it is run again."), now))
        else:
            lost.append(_end(task, now, "It was not run again."))
    return [*end(transaction, lost), *rerun(transaction, again)]


def _may_run_again(task: _Left, now: int) -> bool:
    options = RunOptions.from_json(task.options)
    return rerun_at(options, task.reruns, ErrorKind.INTERRUPTED, now, jitter=1.0) is not None


def _end(task: _Left, now: int, consequence: str) -> End:
    what = "ran" if task.state is State.RUNNING else "was handed to a worker"
    error = Error(
        ErrorKind.INTERRUPTED,
        "Interrupted",
        f"The server stopped while this task {what}, so nobody can know how far it got. "
        + consequence,
    )
    return End(
        task.seq,
        task.attempt,
        State.LOST,
        now,
        error_kind=error.kind,
        error=msgspec.json.encode(error).decode(),
        error_group=group_of(error, task.function).id,
    )

"""The logs of attempts and of workers: lines are added, and go when a log is over its bounds."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.tasks.log import ERRORS, LogCut, LogEntry, WorkerEntry
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.tables import logs, tasks, worker_logs
from pooldeck_server.store.transaction import Transaction

_WORKER_LINES: Final = 2000
"""Of one worker's own log: the last ones, since it goes on for as long as its worker does."""

_KEPT_SECONDS: Final = 7 * 86400  # of a worker's own log: as long as the charts of its pool
_DELETED_AT_ONCE: Final = 1000


def _replacing(insertion: Insert) -> Insert:
    """Let a line take the place of that of the same number."""
    values = ("at", "level", "source", "message", "is_open")
    return insertion.on_conflict_do_update(set_={name: insertion.excluded[name] for name in values})


_line = Rows.of(LogEntry, long=("message",))
_log = _replacing(
    upsert(logs).from_select(
        list(_line.columns()),
        select(*_line.columns().values()).where(
            _line["attempt"]
            == select(tasks.c.attempt).where(tasks.c.seq == _line["seq"]).scalar_subquery()
        ),
    )
)
_worker_line = Rows.of(WorkerEntry, long=("message",))
_worker_log = _replacing(_worker_line.insert_into(worker_logs))


def log(transaction: Transaction, batch: Sequence[LogEntry]) -> None:
    """Write lines into the logs of tasks' present attempts; the later of two of a number counts."""
    _line.execute(transaction.connection, _log, batch)


def cut_logs(transaction: Transaction, cuts: Sequence[LogCut]) -> None:
    """Delete what is kept no longer."""
    for cut in cuts:
        gone = delete(logs).where(
            logs.c.seq == cut.seq,
            logs.c.attempt == cut.attempt,
            logs.c.n.between(cut.first, cut.last),
        )
        if not cut.takes_all:
            gone = gone.where(logs.c.is_open == 0, logs.c.level.not_in(ERRORS))
        transaction.connection.execute(gone)


def log_of_workers(transaction: Transaction, batch: Sequence[WorkerEntry]) -> None:
    """Write lines into workers' own logs, and delete what is over their bound."""
    _worker_line.execute(transaction.connection, _worker_log, batch)
    for worker, last in {line.worker: line.n for line in batch}.items():
        transaction.connection.execute(
            delete(worker_logs).where(
                worker_logs.c.worker == worker, worker_logs.c.n <= last - _WORKER_LINES
            )
        )


def trim_worker_logs(transaction: Transaction, now: int) -> int:
    """Delete some of the lines of workers' own logs that are a week old; return how many.

    `now` is seconds since the epoch.
    """
    key = tuple_(*worker_logs.primary_key)
    old = (
        select(*worker_logs.primary_key)
        .where(worker_logs.c.at < (now - _KEPT_SECONDS) * SECOND)
        .limit(_DELETED_AT_ONCE)
    )
    return transaction.connection.execute(delete(worker_logs).where(key.in_(old))).rowcount

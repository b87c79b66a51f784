"""What is written down beside the moves: progress, logs, what is searched, workers' numbers."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pooldeck_server.domain.tasks.changes import ProgressMark
from pooldeck_server.domain.tasks.log import LogEntry
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.queries.argument_text import argument_text
from pooldeck_server.store.records.fence import first_per_task, is_in_hand
from pooldeck_server.store.tables import logs, search_progress, tasks, workers
from pooldeck_server.store.transaction import Transaction

_mark = Rows.of(ProgressMark, long=("message",))
_progress = (
    update(tasks)
    .where(tasks.c.seq == _mark["seq"], tasks.c.attempt == _mark["attempt"], is_in_hand)
    .values(progress_fraction=_mark["fraction"], progress_message=_mark["message"])
)

_line = Rows.of(LogEntry, long=("message",))
_log = (
    upsert(logs)
    .from_select(
        list(_line.columns()),
        select(*_line.columns().values())
        .select_from(_line.table)
        .join(tasks, tasks.c.seq == _line["seq"])
        .where(tasks.c.attempt == _line["attempt"]),
    )
    .on_conflict_do_nothing()
)


_text = Rows("seq", "text")
_insert_texts = insert(argument_text).from_select(
    ["rowid", "text"], _text.table.select().where(_text.is_given)
)


def progress(transaction: Transaction, batch: Sequence[ProgressMark]) -> None:
    """Note how far attempts are; of several marks of a task the last counts.

    Claimed tasks too: the start of a short one is stored no sooner than its end.
    """
    _mark.execute(transaction.connection, _progress, first_per_task(reversed(batch)))


def log(transaction: Transaction, batch: Sequence[LogEntry]) -> None:
    """Append lines to the logs of tasks' present attempts; a line that is there already stays."""
    _line.execute(transaction.connection, _log, batch)


def index_arguments(
    transaction: Transaction, texts: Iterable[tuple[int, str]], through: int
) -> None:
    """Add the texts of arguments to the index, which then holds those of all tasks up to a number.

    `texts` are of tasks whose numbers are over those indexed; `through` is the highest number that
    was looked at.
    """
    _text.execute(transaction.connection, _insert_texts, texts)
    transaction.connection.execute(delete(search_progress))
    transaction.connection.execute(insert(search_progress).values(through=through))


def erase_traces(transaction: Transaction) -> None:
    """From now on, overwrite what is deleted and replaced, not only let it go.

    For sensitive arguments; it makes every write a few microseconds dearer.
    """
    transaction.connection.exec_driver_sql("PRAGMA secure_delete = FAST").close()


def next_worker_number(transaction: Transaction, pool: str) -> int:
    """Return a number that no worker of `pool` has had before, counting from 1."""
    first = upsert(workers).values(pool=pool, last_number=1)
    following = first.on_conflict_do_update(
        index_elements=[workers.c.pool], set_={"last_number": workers.c.last_number + 1}
    )
    numbered = following.returning(workers.c.last_number)
    return int(transaction.connection.execute(numbered).scalar_one())

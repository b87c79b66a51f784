"""What is written down beside the moves: progress, what is searched, workers' numbers."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pooldeck_server.domain.tasks.changes import ProgressMark
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.connections import erase_from_now_on
from pooldeck_server.store.queries.argument_text import argument_text
from pooldeck_server.store.records.fence import first_per_task, is_in_hand
from pooldeck_server.store.tables import search_progress, tasks, workers
from pooldeck_server.store.transaction import Transaction

_mark = Rows.of(ProgressMark, long=("message",))
_progress = (
    update(tasks)
    .where(tasks.c.seq == _mark["seq"], tasks.c.attempt == _mark["attempt"], is_in_hand)
    .values(progress_fraction=_mark["fraction"], progress_message=_mark["message"])
)

_text = Rows("seq", "text")
_insert_texts = insert(argument_text).from_select(
    ["rowid", "text"],
    select(_text["seq"], _text["text"]).join_from(_text.table, tasks, tasks.c.seq == _text["seq"]),
)


def progress(transaction: Transaction, batch: Sequence[ProgressMark]) -> None:
    """Note how far attempts are; of several marks of a task the last counts.

    Claimed tasks too: the start of a short one is stored no sooner than its end.
    """
    _mark.execute(transaction.connection, _progress, first_per_task(reversed(batch)))


def index_arguments(
    transaction: Transaction, texts: Iterable[tuple[int, str]], through: int
) -> None:
    """Add the texts of arguments to the index, which then holds those of all tasks up to a number.

    `texts` are of tasks whose numbers are over those indexed; of those that were deleted meanwhile
    nothing is added. `through` is the highest number that was looked at.
    """
    _text.execute(transaction.connection, _insert_texts, texts)
    transaction.connection.execute(delete(search_progress))
    transaction.connection.execute(insert(search_progress).values(through=through))


def erase_traces(transaction: Transaction) -> None:
    """From now on, leave nothing in the file of what is deleted and replaced.

    For sensitive arguments; it makes every write a few microseconds dearer.
    """
    erase_from_now_on(transaction.connection)


def next_worker_number(transaction: Transaction, pool: str) -> int:
    """Return a number that no worker of `pool` has had before, counting from 1."""
    first = upsert(workers).values(pool=pool, last_number=1)
    following = first.on_conflict_do_update(
        index_elements=[workers.c.pool], set_={"last_number": workers.c.last_number + 1}
    )
    numbered = following.returning(workers.c.last_number)
    return int(transaction.connection.execute(numbered).scalar_one())

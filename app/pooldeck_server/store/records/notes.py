"""What is written down beside the moves: progress, what is searched, workers' numbers."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pooldeck_server.domain.tasks.changes import ProgressMark
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.connections import erase_from_now_on
from pooldeck_server.store.queries.argument_text import (
    argument_text,
    edited_texts,
    indexed_through,
)
from pooldeck_server.store.records.fence import first_per_task, is_in_hand
from pooldeck_server.store.tables import search_progress, tasks, workers
from pooldeck_server.store.transaction import Transaction

_mark = Rows.of(ProgressMark, long=("message",))
_progress = (
    update(tasks)
    .where(tasks.c.seq == _mark["seq"], tasks.c.attempt == _mark["attempt"], is_in_hand)
    .values(progress_fraction=_mark["fraction"], progress_message=_mark["message"])
)

_text = Rows("seq", "text", long=("text",))
_insert_texts = insert(argument_text).from_select(
    ["rowid", "text"],
    select(_text["seq"], _text["text"]).join_from(_text.table, tasks, tasks.c.seq == _text["seq"]),
)

_delete_texts = insert(argument_text).from_select(
    ["argument_text", "rowid", "text"],
    select(func.trim("delete"), _text["seq"], _text["text"]).where(_text.is_given),
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
    nothing is added, and of those that were changed what they are by now. `through` is the highest
    number that was looked at.
    """
    read = dict(texts)
    present = read | edited_texts(transaction.connection, read)
    _insert(transaction.connection, present)
    transaction.connection.execute(delete(search_progress))
    transaction.connection.execute(insert(search_progress).values(through=through))


def _insert(connection: Connection, texts: Mapping[int, str]) -> None:
    _text.execute(connection, _insert_texts, [each for each in texts.items() if each[1].strip()])


def unindex(connection: Connection, texts: Iterable[tuple[int, str]]) -> None:
    """Take texts out of the index, given exactly as it holds them with the numbers of the tasks."""
    _text.execute(connection, _delete_texts, texts)


def index_again(connection: Connection, seq: int, known: Iterable[tuple[int, str]]) -> None:
    """Let the index have the text of a task that was changed in place of the one it has `known`.

    One that it has not reached yet is left to it.
    """
    unindex(connection, known)
    if seq <= indexed_through(connection):
        _insert(connection, edited_texts(connection, [seq]))


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

"""What the search in arguments goes by: the index of their texts, and how far it is."""

from collections.abc import Iterable

from sqlalchemy import delete, insert

from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.queries.argument_text import argument_text
from pooldeck_server.store.tables import search_progress
from pooldeck_server.store.transaction import Transaction

_text = Rows("seq", "text")
_insert = insert(argument_text).from_select(
    ["rowid", "text"], _text.table.select().where(_text.is_given)
)


def index_arguments(
    transaction: Transaction, texts: Iterable[tuple[int, str]], through: int
) -> None:
    """Add the texts of arguments to the index, which then holds those of all tasks up to a number.

    Args:
        transaction: Where to write.
        texts: The numbers of tasks with the texts to find them by; of numbers over those indexed.
        through: The highest number that was looked at.
    """
    _text.execute(transaction.connection, _insert, texts)
    transaction.connection.execute(delete(search_progress))
    transaction.connection.execute(insert(search_progress).values(through=through))

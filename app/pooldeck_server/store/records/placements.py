"""Where functions are placed that leave their pool to the server."""

from sqlalchemy import delete
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.store.tables import placements
from pooldeck_server.store.transaction import Transaction


def save_placement(transaction: Transaction, function: str, placement: Placement) -> None:
    """Keep where a function is, in place of where it was; `placement.since` must be known."""
    columns = {
        "pool": placement.pool,
        "since": placement.since,
        "reason": placement.to_json(),
    }
    row = insert(placements).values(function=function, **columns)
    known = row.on_conflict_do_update(index_elements=[placements.c.function], set_=columns)
    transaction.connection.execute(known)


def forget_placement(transaction: Transaction, function: str) -> None:
    """Let a function be where it starts."""
    transaction.connection.execute(delete(placements).where(placements.c.function == function))

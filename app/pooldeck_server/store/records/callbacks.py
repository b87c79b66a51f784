"""Ends of tasks on their way to where they are told; what writes them is `store.ends`."""

from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.alerts.callbacks import (
    MAX_KEPT,
    MAX_WAITING,
    MAX_WAITING_FOR_HOST,
    DueCallback,
    Signing,
)
from pooldeck_server.domain.alerts.deliveries import Attempted, DeliveryState
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.queries.callbacks import crowded_hosts
from pooldeck_server.store.records.tries import note_try_of, try_again
from pooldeck_server.store.tables import callback_deliveries, callback_signing, callbacks
from pooldeck_server.store.transaction import Transaction

_TOO_MANY: Final = "newer ones took its place: too many ends wait to be told"
_is_waiting = callback_deliveries.c.state == DeliveryState.WAITING

_new = Rows("seq", "url")
_insert = _new.insert_into(callbacks)


def add_callbacks(connection: Connection, stored: Iterable[NewTask]) -> None:
    """Note where the ends of those tasks are told that have asked for it."""
    rows = [(task.seq, task.callback) for task in stored if task.callback is not None]
    if rows:
        _new.execute(connection, _insert, rows)


def note_callback(
    transaction: Transaction, due: DueCallback, ended: Attempted, next_at: int | None, now: int
) -> bool:
    """Note how a try ended, as `note_try` does; return whether the delivery is still there."""
    delivery = due.id, due.message
    return note_try_of(
        transaction, callback_deliveries, delivery, ended=ended, next_at=next_at, now=now
    )


def call_again(transaction: Transaction, delivery: int, now: int) -> bool:
    """Tell one at once: that waits, or anew that has ended; return whether there is such a one."""
    return try_again(transaction, callback_deliveries, delivery, now)


def save_signing(transaction: Transaction, signing: Signing) -> None:
    """Keep what signs callbacks, and whether they are told."""
    values = {
        "secrets": msgspec.json.encode(signing.secrets).decode(),
        "is_on": int(signing.is_on),
        "trouble": signing.trouble,
    }
    row = insert(callback_signing).values(n=1, **values)
    transaction.connection.execute(
        row.on_conflict_do_update(index_elements=[callback_signing.c.n], set_=values)
    )


def trim_callbacks(transaction: Transaction) -> None:
    """Give up the oldest that wait beyond their bounds, and forget the oldest that have ended."""
    connection = transaction.connection
    for host in crowded_hosts(connection):
        _give_up(connection, MAX_WAITING_FOR_HOST, host)
    _give_up(connection, MAX_WAITING)
    ended = select(callback_deliveries.c.id).where(~_is_waiting)
    beyond = ended.order_by(callback_deliveries.c.id.desc()).offset(MAX_KEPT)
    connection.execute(
        delete(callback_deliveries).where(callback_deliveries.c.id.in_(beyond.scalar_subquery()))
    )


def _give_up(connection: Connection, most: int, host: str | None = None) -> None:
    meant = _is_waiting if host is None else and_(_is_waiting, callback_deliveries.c.host == host)
    ids = select(callback_deliveries.c.id).where(meant)
    beyond = ids.order_by(callback_deliveries.c.id.desc()).offset(most)
    connection.execute(
        update(callback_deliveries)
        .where(callback_deliveries.c.id.in_(beyond.scalar_subquery()))
        .values(state=DeliveryState.GIVEN_UP, next_at=None, answer=_TOO_MANY)
    )

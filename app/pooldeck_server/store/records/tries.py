"""Tries to deliver a message, of alerts and of the ends of tasks: noted, and made once more."""

from sqlalchemy import Table, update

from pooldeck_server.domain.alerts.deliveries import MAX_ANSWER, Attempted, DeliveryState
from pooldeck_server.store.transaction import Transaction


def note_try_of(
    transaction: Transaction,
    table: Table,
    delivery: tuple[int, str],
    *,
    ended: Attempted,
    next_at: int | None,
    now: int,
) -> bool:
    """Note how a try ended: it is delivered, tried again at `next_at`, or given up.

    Args:
        transaction: Where it is noted.
        table: Which deliveries it is one of.
        delivery: Its number and the id of its message.
        ended: How the try ended.
        next_at: When it is tried again, in microseconds since the epoch; None: not by itself.
        now: The same, of now.

    Returns:
        Whether the delivery is still there.
    """
    number, message = delivery
    state = DeliveryState.WAITING if next_at is not None else DeliveryState.GIVEN_UP
    noted = transaction.connection.execute(
        update(table)
        .where(table.c.id == number, table.c.message == message)
        .values(
            state=DeliveryState.DELIVERED if ended.is_delivered else state,
            tries=table.c.tries + 1,
            next_at=next_at,
            last_at=now,
            status=ended.status,
            answer=ended.words[:MAX_ANSWER],
        )
    )
    return noted.rowcount > 0


def try_again(transaction: Transaction, table: Table, number: int, now: int) -> bool:
    """Try one at once: that waits, or anew that has ended; return whether there is such a one."""
    its = update(table).where(table.c.id == number)
    has_ended = table.c.state != DeliveryState.WAITING
    anew = its.where(has_ended).values(state=DeliveryState.WAITING, tries=0, next_at=now)
    if transaction.connection.execute(anew).rowcount:
        return True
    return transaction.connection.execute(its.values(next_at=now)).rowcount > 0

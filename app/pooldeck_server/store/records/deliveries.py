"""Destinations of alerts, and the deliveries to them."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import delete, insert, select, update

from pooldeck_server.domain.alerts.deliveries import (
    MAX_KEPT,
    MAX_WAITING,
    Attempted,
    DeliveryState,
    DestinationKind,
    DueDelivery,
    NewDelivery,
    NewDestination,
    SigningSecret,
)
from pooldeck_server.domain.alerts.rules import AlertRule
from pooldeck_server.store.records.tries import note_try_of, try_again
from pooldeck_server.store.tables import deliveries, destinations
from pooldeck_server.store.transaction import Transaction

_TOO_MANY: Final = f"newer messages took its place: at most {MAX_WAITING} wait for one destination"
_is_waiting = deliveries.c.state == DeliveryState.WAITING


def add_destination(transaction: Transaction, new: NewDestination, now: int) -> int | None:
    """Keep a destination; return its number, or None if another has its name."""
    known = select(destinations.c.id).where(destinations.c.name == new.name)
    if transaction.connection.execute(known).scalar() is not None:
        return None
    row = insert(destinations).values(
        name=new.name,
        kind=new.kind,
        url=new.url,
        secrets=msgspec.json.encode(new.secrets).decode(),
        is_on=1,
        created_at=now,
        rules=_text(new.rules),
    )
    return int(transaction.connection.execute(row).inserted_primary_key[0])  # type: ignore[index]


def choose_rules(
    transaction: Transaction, destination: int, rules: Sequence[AlertRule] | None
) -> bool:
    """Tell a destination of some rules only, or of all (None); return whether there is such one."""
    changed = update(destinations).where(destinations.c.id == destination)
    return transaction.connection.execute(changed.values(rules=_text(rules))).rowcount > 0


def _text(rules: Sequence[AlertRule] | None) -> str | None:
    return None if rules is None else msgspec.json.encode(rules).decode()


def remove_destination(transaction: Transaction, destination: int) -> bool:
    """Forget a destination with its deliveries; return whether there was one."""
    transaction.connection.execute(
        delete(deliveries).where(deliveries.c.destination == destination)
    )
    gone = delete(destinations).where(destinations.c.id == destination)
    return transaction.connection.execute(gone).rowcount > 0


def turn_destination(
    transaction: Transaction, destination: int, *, is_on: bool, trouble: str | None = None
) -> bool:
    """Turn a destination on or off; `trouble` says why, where nobody asked for it."""
    turned = update(destinations).where(destinations.c.id == destination)
    values = {"is_on": int(is_on), "trouble": trouble}
    return transaction.connection.execute(turned.values(values)).rowcount > 0


def rotate_secret(
    transaction: Transaction, destination: int, secret: str, until: int, now: int
) -> bool:
    """Sign with `secret` from now on, and with what signed before up to `until`."""
    found = select(destinations.c.secrets).where(
        destinations.c.id == destination, destinations.c.kind == DestinationKind.WEBHOOK
    )
    kept = transaction.connection.execute(found).scalar()
    if kept is None:
        return False
    before = msgspec.json.decode(kept, type=list[SigningSecret])
    valid = [each for each in before if each.until is None or each.until > now]
    old = [SigningSecret(each.secret, min(each.until or until, until)) for each in valid[:3]]
    text = msgspec.json.encode([SigningSecret(secret), *old]).decode()
    changed = update(destinations).where(destinations.c.id == destination)
    return transaction.connection.execute(changed.values(secrets=text)).rowcount > 0


def add_delivery(transaction: Transaction, new: NewDelivery, now: int) -> int:
    """Have a message delivered; return its number. The oldest that wait make room for it."""
    row = insert(deliveries).values(
        message=new.message,
        destination=new.destination,
        type=new.type,
        state=DeliveryState.WAITING,
        tries=0,
        created_at=now,
        next_at=now,
        payload=new.payload,
    )
    added = transaction.connection.execute(row).inserted_primary_key
    too_many = (
        select(deliveries.c.id)
        .where(_is_waiting, deliveries.c.destination == new.destination)
        .order_by(deliveries.c.id.desc())
        .offset(MAX_WAITING)
    )
    transaction.connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(too_many.scalar_subquery()))
        .values(state=DeliveryState.GIVEN_UP, next_at=None, answer=_TOO_MANY)
    )
    _forget_old(transaction)
    return int(added[0])  # type: ignore[index]


def _forget_old(transaction: Transaction) -> None:
    """Keep the latest deliveries that have ended; those that wait are bounded by themselves."""
    beyond = (
        select(deliveries.c.id)
        .where(~_is_waiting)
        .order_by(deliveries.c.id.desc())
        .offset(MAX_KEPT)
    )
    transaction.connection.execute(
        delete(deliveries).where(deliveries.c.id.in_(beyond.scalar_subquery()))
    )


def note_try(
    transaction: Transaction, due: DueDelivery, ended: Attempted, next_at: int | None, now: int
) -> bool:
    """Note how a try ended: it is delivered, tried again at `next_at`, or given up.

    Returns:
        Whether the delivery is still there.
    """
    delivery = due.id, due.message
    return note_try_of(transaction, deliveries, delivery, ended=ended, next_at=next_at, now=now)


def deliver_again(transaction: Transaction, delivery: int, now: int) -> bool:
    """Try one at once: that waits, or anew that has ended; return whether there is such a one."""
    return try_again(transaction, deliveries, delivery, now)

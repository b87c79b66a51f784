"""Alerts, those who are told of them, and what is on its way."""

from collections.abc import Collection
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, and_, func, or_, select

from pooldeck_server.domain.alerts.deliveries import (
    DeliveryState,
    DestinationKind,
    DueDelivery,
    SigningSecret,
    StoredDelivery,
    StoredDestination,
)
from pooldeck_server.domain.alerts.rules import AlertRule, StoredAlert, StoredRule
from pooldeck_server.store.tables import alert_rules, deliveries, destinations
from pooldeck_server.store.tables import alerts as kept

S = TypeVar("S", bound=Struct)

_NEWS_LIMIT: Final = 5000  # more than there can be
_alert_columns = [kept.c[name] for name in StoredAlert.__struct_fields__]
_has_news = or_(
    kept.c["count"] > kept.c.told,
    and_(kept.c.over_at.is_not(None), kept.c.told_over == 0, kept.c.told > 0),
)


def _all(connection: Connection, query: Select[Any], item: type[S]) -> list[S]:
    """Return what a query finds as values of `item`, whose fields are its columns in order."""
    names = item.__struct_fields__
    rows = connection.execute(query)
    return [msgspec.convert(dict(zip(names, row, strict=True)), item, strict=False) for row in rows]


def alert_news(connection: Connection) -> list[StoredAlert]:
    """Return the alerts of which something was not told yet, the oldest first."""
    found = select(*_alert_columns).where(_has_news).order_by(kept.c.n).limit(_NEWS_LIMIT)
    return _all(connection, found, StoredAlert)


def open_alerts(connection: Connection, rules: Collection[AlertRule]) -> list[StoredAlert]:
    """Return the alerts of some rules that are not over, the latest first."""
    found = (
        select(*_alert_columns)
        .where(kept.c.over_at.is_(None), kept.c.rule.in_([rule.value for rule in rules]))
        .order_by(kept.c.last_at.desc(), kept.c.n.desc())
    )
    return _all(connection, found, StoredAlert)


def alert_rule_settings(connection: Connection) -> list[StoredRule]:
    """Return how those rules are set that were changed, or told of."""
    columns = (alert_rules.c[name] for name in StoredRule.__struct_fields__)
    known = alert_rules.c.rule.in_([rule.value for rule in AlertRule])
    return _all(connection, select(*columns).where(known), StoredRule)


def alert_destinations(connection: Connection) -> list[StoredDestination]:
    """Return all destinations, without their secrets."""
    return _destinations(connection, select(*_of_destination).order_by(destinations.c.id))


_of_destination = [destinations.c[name] for name in StoredDestination.__struct_fields__]


def _destinations(connection: Connection, query: Select[Any]) -> list[StoredDestination]:
    """Return what a query finds; rules that only another version knows are left out."""
    names = StoredDestination.__struct_fields__
    rows = [dict(zip(names, row, strict=True)) for row in connection.execute(query)]
    return [
        msgspec.convert(row | {"rules": _rules(row["rules"])}, StoredDestination, strict=False)
        for row in rows
    ]


def _rules(text: str | None) -> list[str] | None:
    if text is None:
        return None
    known = set(AlertRule)
    return [name for name in msgspec.json.decode(text, type=list[str]) if name in known]


_delivered_to = deliveries.join(destinations, deliveries.c.destination == destinations.c.id)


def destination_of_delivery(connection: Connection, delivery: int) -> StoredDestination | None:
    """Return where a delivery goes; None if there is no such delivery."""
    its = select(*_of_destination).select_from(_delivered_to).where(deliveries.c.id == delivery)
    return next(iter(_destinations(connection, its)), None)


def alert_deliveries(
    connection: Connection, limit: int, before: int | None = None
) -> list[StoredDelivery]:
    """Return up to `limit` deliveries, the latest first, of those numbered below `before`."""
    names = StoredDelivery.__struct_fields__
    columns = [destinations.c.name if name == "name" else deliveries.c[name] for name in names]
    found = select(*columns).select_from(_delivered_to).order_by(deliveries.c.id.desc())
    if before is not None:
        found = found.where(deliveries.c.id < before)
    return _all(connection, found.limit(limit), StoredDelivery)


def has_deliveries_waiting(connection: Connection) -> bool:
    """Tell whether any message waits, due or not, whoever it is for."""
    waiting = select(deliveries.c.id).where(deliveries.c.state == DeliveryState.WAITING).limit(1)
    return connection.execute(waiting).first() is not None


def due_deliveries(
    connection: Connection, now: int, limit: int, busy: Collection[int] = ()
) -> list[DueDelivery]:
    """Return the first delivery that is due for each destination that is on and not `busy`."""
    first = (
        select(func.min(deliveries.c.id))
        .select_from(_delivered_to)
        .where(
            deliveries.c.state == DeliveryState.WAITING,
            deliveries.c.next_at <= now,
            destinations.c.is_on == 1,
            destinations.c.id.not_in(list(busy)),
        )
        .group_by(deliveries.c.destination)
        .limit(limit)
    )
    found = (
        select(
            deliveries.c.id,
            deliveries.c.message,
            deliveries.c.destination,
            destinations.c.kind,
            destinations.c.url,
            destinations.c.secrets,
            deliveries.c.payload,
            deliveries.c.tries,
            destinations.c.name,
        )
        .select_from(_delivered_to)
        .where(deliveries.c.id.in_(first.scalar_subquery()))
    )
    return [
        DueDelivery(
            id=row.id,
            message=row.message,
            destination=row.destination,
            kind=DestinationKind(row.kind),
            url=row.url,
            secrets=msgspec.json.decode(row.secrets, type=tuple[SigningSecret, ...]),
            payload=row.payload,
            tries=row.tries,
            name=row.name,
        )
        for row in connection.execute(found)
    ]

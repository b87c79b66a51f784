"""How much waits to be sent, and since when."""

from typing import Any

from sqlalchemy import Connection, func, select

from pooldeck_server.domain.alerts.deliveries import DeliveryState
from pooldeck_server.domain.alerts.outbox import OutboxState, Waiting
from pooldeck_server.store.tables import callback_deliveries as ends
from pooldeck_server.store.tables import callback_signing, deliveries, destinations

_alerts: Any = (
    select(func.count(), func.min(deliveries.c.created_at))
    .select_from(deliveries.join(destinations, deliveries.c.destination == destinations.c.id))
    .where(deliveries.c.state == DeliveryState.WAITING, destinations.c.is_on == 1)
)
_callbacks: Any = select(func.count(), func.min(ends.c.created_at)).where(
    ends.c.state == DeliveryState.WAITING
)
_destinations: Any = select(
    func.count(),
    func.count().filter(destinations.c.is_on == 0),
    func.count().filter(destinations.c.trouble.is_not(None)),
)


def outbox(connection: Connection) -> OutboxState:
    """Return what waits for those who are on, and how many the server turned off by itself."""
    signing = connection.execute(select(callback_signing)).one_or_none()
    is_on = signing is not None and bool(signing.is_on)
    has_trouble = signing is not None and signing.trouble is not None
    number, off, troubled = connection.execute(_destinations).one()
    return OutboxState(
        alerts=_waiting(connection, _alerts),
        callbacks=_waiting(connection, _callbacks) if is_on else Waiting(),
        destinations=number,
        destinations_off=off,
        turned_off=troubled + has_trouble,
    )


def _waiting(connection: Connection, query: Any) -> Waiting:
    number, since = connection.execute(query).one()
    return Waiting(number, since)

"""The ends of tasks on their way to where they are told."""

from typing import Final

import msgspec
from sqlalchemy import Connection, func, or_, select

from pooldeck_server.domain.alerts.callbacks import (
    MAX_KEPT,
    MAX_WAITING,
    MAX_WAITING_FOR_HOST,
    CallbackLook,
    DueCallback,
    Signing,
    StoredCallback,
)
from pooldeck_server.domain.alerts.deliveries import DeliveryState, SigningSecret
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import callback_deliveries as kept
from pooldeck_server.store.tables import callback_signing

_ENDED: Final = (DeliveryState.DELIVERED, DeliveryState.GIVEN_UP)
_MOST_HOSTS: Final = 200  # of one look
_is_waiting = kept.c.state == DeliveryState.WAITING


def callback_secrets(connection: Connection) -> Signing:
    """Return what signs callbacks, and whether they are told."""
    row = connection.execute(select(callback_signing)).one_or_none()
    if row is None:
        return Signing()
    secrets = msgspec.json.decode(row.secrets, type=tuple[SigningSecret, ...])
    return Signing(secrets, bool(row.is_on), row.trouble)


def callback_deliveries(
    connection: Connection, limit: int, before: int | None = None, task: str | None = None
) -> list[StoredCallback]:
    """Return up to `limit`, the latest first, of those numbered below `before`, of one task."""
    columns = (kept.c[name] for name in StoredCallback.__struct_fields__)
    found = select(*columns).order_by(kept.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(kept.c.id < before)
    if task is not None:
        found = found.where(kept.c.task == task)
    return fetch_all(connection, found, StoredCallback)


def task_of_callback(connection: Connection, number: int) -> str | None:
    """Return the task of a delivery; None if there is no such delivery."""
    found: str | None = connection.execute(select(kept.c.task).where(kept.c.id == number)).scalar()
    return found


def due_callbacks(
    connection: Connection, look: CallbackLook, now: int
) -> tuple[list[DueCallback], str]:
    """Return ends that are due to be told, and the host after which to look the next time.

    It goes from host to host along an index, so that many that wait for one cost the others
    nothing; and over a bounded number of hosts.
    """
    found: list[DueCallback] = []
    host, has_wrapped = look.after, False
    for _ in range(_MOST_HOSTS):
        if len(found) >= look.limit:
            break
        following = _next_host(connection, host)
        if following is None and (has_wrapped or not look.after):
            break
        if following is None:
            host, has_wrapped = "", True
            continue
        if has_wrapped and following > look.after:
            break
        host = following
        if host not in look.resting:
            found += _of_host(connection, host, look, now)
    return found, host


def _next_host(connection: Connection, after: str) -> str | None:
    query = select(func.min(kept.c.host)).where(_is_waiting, kept.c.host > after)
    found: str | None = connection.execute(query).scalar()
    return found


def _of_host(connection: Connection, host: str, look: CallbackLook, now: int) -> list[DueCallback]:
    columns = (kept.c[name] for name in DueCallback.__struct_fields__)
    is_due = or_(kept.c.next_at <= now, kept.c.tries == 0)  # the clock may have been ahead
    query = (
        select(*columns)
        .where(_is_waiting, kept.c.host == host, is_due)
        .where(kept.c.id.not_in(look.busy))
        .order_by(kept.c.next_at)
        .limit(look.of_host)
    )
    return fetch_all(connection, query, DueCallback)


def are_callbacks_crowded(connection: Connection) -> bool:
    """Tell whether more waits, or has ended, than is to be kept."""
    return bool(crowded_hosts(connection)) or _are_too_many(connection)


def crowded_hosts(connection: Connection) -> list[str]:
    """Return the hosts for which more waits than may."""
    number = func.count()
    query = select(kept.c.host).where(_is_waiting).group_by(kept.c.host)
    return list(connection.scalars(query.having(number > MAX_WAITING_FOR_HOST)))


def _are_too_many(connection: Connection) -> bool:
    """Tell whether more waits in all than may, or more that has ended than is kept."""
    waiting = select(func.count()).select_from(kept).where(_is_waiting)
    ended = select(func.count()).select_from(kept).where(kept.c.state.in_(_ENDED))
    return (
        connection.execute(waiting).scalar_one() > MAX_WAITING
        or connection.execute(ended).scalar_one() > MAX_KEPT
    )

"""Which hosts runs of the server had, and the number of a run."""

from sqlalchemy import Connection, select

from pooldeck_server.domain.pools.attachments import Attachment
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import hosts, runs


def attachments(connection: Connection) -> list[Attachment]:
    """Return the hosts that earlier runs, or this one, may have handed calls to."""
    return fetch_all(connection, select(hosts).order_by(hosts.c.attached_at), Attachment)


def term_of(connection: Connection, boot: str) -> int:
    """Return the number of a run, by its mark: each is higher than those before it."""
    number: int = connection.execute(select(runs.c.n).where(runs.c.boot == boot)).scalar_one()
    return number

"""The sessions of browsers that outlive a run of the server."""

from sqlalchemy import Connection, select

from pooldeck_server.domain.sessions import Session
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import sessions as kept


def sessions(connection: Connection) -> list[Session]:
    """Return all that were not ended, the oldest first; some may be over by time."""
    return fetch_all(
        connection, select(kept).order_by(kept.c.began_at), Session, json={"principal"}
    )

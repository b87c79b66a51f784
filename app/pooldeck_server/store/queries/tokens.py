"""The named tokens that were not revoked."""

from sqlalchemy import Connection, select

from pooldeck_server.domain.tokens import Token
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import tokens as kept


def tokens(connection: Connection) -> list[Token]:
    """Return all, by name; some may have expired."""
    as_json = {"sees_values", "functions", "pools"}
    return fetch_all(connection, select(kept).order_by(kept.c.name), Token, json=as_json)

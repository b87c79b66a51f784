"""The named tokens: made, revoked, and when each was used last."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, insert, update

from pooldeck_server.domain.tokens import Token
from pooldeck_server.store.tables import sessions, tokens
from pooldeck_server.store.transaction import Transaction

_JSON = ("sees_values", "functions", "pools")


def save_token(transaction: Transaction, token: Token) -> None:
    """Keep a new token.

    Raises:
        IntegrityError: If there is one of its name.
    """
    texts = {name: msgspec.json.encode(getattr(token, name)).decode() for name in _JSON}
    transaction.connection.execute(insert(tokens).values(asdict(token) | texts))


def revoke_token(transaction: Transaction, name: str) -> None:
    """Forget a token, and the sessions that were begun with it."""
    transaction.connection.execute(delete(sessions).where(sessions.c.token == name))
    transaction.connection.execute(delete(tokens).where(tokens.c.name == name))


def note_uses(transaction: Transaction, used_at: Mapping[str, int]) -> None:
    """Note when tokens were used last (microseconds since the epoch), by their names."""
    for name, at in used_at.items():
        noted = update(tokens).where(tokens.c.name == name)
        transaction.connection.execute(noted.values(used_at=at))

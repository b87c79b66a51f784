"""The sessions of browsers: begun and ended."""

from collections.abc import Collection

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete

from pooldeck_server.domain.sessions import Session
from pooldeck_server.store.records.controls import keep
from pooldeck_server.store.tables import sessions
from pooldeck_server.store.transaction import Transaction


def begin_session(transaction: Transaction, session: Session, over: Collection[str] = ()) -> None:
    """Keep a session, and forget those of the keys `over`."""
    end_sessions(transaction, over)
    principal = msgspec.json.encode(session.principal).decode()
    keep(transaction, sessions, asdict(session) | {"principal": principal})


def end_sessions(transaction: Transaction, keys: Collection[str]) -> None:
    transaction.connection.execute(delete(sessions).where(sessions.c.key.in_(keys)))

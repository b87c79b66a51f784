"""What a copy of a database knows of itself: that it is one, and that it tells nobody anything."""

import secrets
import sqlite3
from typing import Final

from pooldeck_server.domain.alerts.deliveries import DeliveryState

_IDENTITY_SINCE: Final = "0008"
_TOKENS_SINCE: Final = "0009"
_ALERTS_SINCE: Final = "0012"
_CALLBACKS_SINCE: Final = "0014"
_NOT_TOLD_AGAIN: Final = "it waited when the backup was made, and is not sent from a copy"
_TURNED_OFF: Final = "restored from a backup: turn on what should be told again"


def mark(connection: sqlite3.Connection, made_at: int) -> None:
    """Let a copy know that it is one; the schema of earlier versions has no room for that."""
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision < _IDENTITY_SINCE:
        return
    connection.execute(
        "UPDATE identity SET copied_from = id, id = ?, copied_at = ?, settled_at = NULL, "
        "through = (SELECT coalesce(max(seq), 0) FROM tasks)",
        (secrets.token_hex(8), made_at),
    )
    connection.execute("DELETE FROM sessions")  # of browsers that may have logged out since
    if revision >= _TOKENS_SINCE:
        connection.execute("DELETE FROM tokens")  # which may have been revoked since
    if revision >= _ALERTS_SINCE:
        silence(connection)
    if revision >= _CALLBACKS_SINCE:
        _silence_callbacks(connection)


def silence(connection: sqlite3.Connection) -> None:
    """Let a copy tell nobody anything: the server that it is a copy of does, or has done so."""
    connection.execute(
        "UPDATE deliveries SET state = ?, next_at = NULL, answer = ? WHERE state = ?",
        (DeliveryState.GIVEN_UP, _NOT_TOLD_AGAIN, DeliveryState.WAITING),
    )
    connection.execute(
        "UPDATE destinations SET is_on = 0, trouble = ? WHERE is_on = 1", (_TURNED_OFF,)
    )


def _silence_callbacks(connection: sqlite3.Connection) -> None:
    """Let a copy tell nobody of the ends of tasks either, for the same reason."""
    connection.execute(
        "UPDATE callback_deliveries SET state = ?, next_at = NULL, answer = ? WHERE state = ?",
        (DeliveryState.GIVEN_UP, _NOT_TOLD_AGAIN, DeliveryState.WAITING),
    )
    connection.execute(
        "UPDATE callback_signing SET is_on = 0, trouble = ? WHERE is_on = 1", (_TURNED_OFF,)
    )

"""Where functions are placed that leave their pool to the server."""

from sqlalchemy import Connection, select

from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.store.tables import placements as kept


def placements(connection: Connection) -> dict[str, Placement]:
    """Return where each function is that is elsewhere than where it started."""
    rows = connection.execute(select(kept.c.function, kept.c.reason)).all()
    return {function: Placement.from_json(reason) for function, reason in rows}

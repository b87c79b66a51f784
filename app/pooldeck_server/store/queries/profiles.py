"""What the runs of functions cost, as it was kept."""

from sqlalchemy import Connection, func, select

from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.tables import profiles as kept


def profiles(connection: Connection) -> list[Profile]:
    """Return the profiles of all functions in each kind of pool."""
    return fetch(
        connection, select(func.json_group_array(func.json(kept.c.profile))), list[Profile]
    )

"""What the runs of functions cost, kept in place of what was kept before."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.store.tables import profiles as kept
from pooldeck_server.store.transaction import Transaction


def save_profiles(transaction: Transaction, profiles: Sequence[Profile]) -> None:
    """Keep profiles, each in place of what was kept of its function in its kind of pool."""
    rows = [
        {
            "function": profile.function,
            "kind": profile.kind,
            "profile": msgspec.json.encode(profile).decode(),
            "updated_at": profile.last_at,
        }
        for profile in profiles
    ]
    row = insert(kept)
    changed = {name: row.excluded[name] for name in ("profile", "updated_at")}
    transaction.connection.execute(
        row.on_conflict_do_update(index_elements=list(kept.primary_key), set_=changed), rows
    )

"""What is known of functions: the catalogue, where they are placed, what their runs cost."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete

from pooldeck.functions import FunctionSpec
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.records.controls import keep
from pooldeck_server.store.tables import functions, placements
from pooldeck_server.store.tables import profiles as measured
from pooldeck_server.store.transaction import Transaction

_spec = Rows("name", "spec", "updated_at", long=("spec",))
_save_specs = _spec.insert_into(functions)


def save_catalogue(transaction: Transaction, specs: Sequence[FunctionSpec], now: int) -> None:
    """Keep `specs` in place of the catalogue before; `now` is microseconds since the epoch."""
    transaction.connection.execute(delete(functions))
    rows = [(spec.name, msgspec.json.encode(spec).decode(), now) for spec in specs]
    _spec.execute(transaction.connection, _save_specs, rows)


def save_placement(transaction: Transaction, function: str, placement: Placement) -> None:
    """Keep where a function is, in place of where it was; `placement.since` must be known."""
    row = {"function": function, "pool": placement.pool, "since": placement.since}
    keep(transaction, placements, row | {"reason": placement.to_json()})


def forget_placement(transaction: Transaction, function: str) -> None:
    transaction.connection.execute(delete(placements).where(placements.c.function == function))


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
    keep(transaction, measured, *rows)

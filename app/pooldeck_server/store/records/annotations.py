"""What was done to pools and what befell them, kept for as long as the database."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import insert

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.store.tables import annotations
from pooldeck_server.store.transaction import Transaction


def annotate(transaction: Transaction, batch: Sequence[StoredAnnotation]) -> None:
    """Keep annotations, in their order."""
    rows = [
        msgspec.structs.asdict(one) | {"data": msgspec.json.encode(one.data).decode()}
        for one in batch
    ]
    transaction.connection.execute(insert(annotations), rows)

"""Batches that were sent under a key of their own."""

from sqlalchemy import Connection, select

from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.store.tables import batches as kept
from pooldeck_server.store.tables import tasks


def batch_by_key(connection: Connection, key: str) -> KeyedBatch | None:
    """Return what is kept of the batch of a key; None if there was none, or it is forgotten."""
    columns = (kept.c[name] for name in ("fingerprint", "first_seq", "number", "looked_at"))
    found = connection.execute(select(*columns).where(kept.c.idempotency_key == key)).one_or_none()
    return None if found is None else KeyedBatch(key, *found)


def unkeyed_tasks(connection: Connection, batch: KeyedBatch) -> list[str]:
    """Return the ids of the tasks of a batch that have no key of their own, in its order."""
    is_of_it = tasks.c.seq.between(batch.first_seq, batch.first_seq + batch.number - 1)
    query = select(tasks.c.id).where(is_of_it, tasks.c.idempotency_key.is_(None))
    return list(connection.scalars(query.order_by(tasks.c.seq)))

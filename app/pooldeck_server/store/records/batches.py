"""The keys of whole batches: kept with their tasks, and for some days after these are gone."""

from typing import Final

from sqlalchemy import case, delete, insert, select, update

from pooldeck_server.domain.retention import DAY, KEYS_DAYS
from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.store.tables import batches, tasks
from pooldeck_server.store.transaction import Transaction

_AT_ONCE: Final = 500
_LOOK_DAYS: Final = 1  # between two looks whether tasks of a batch are left

_tasks_of = select(tasks.c.seq).where(
    tasks.c.seq.between(batches.c.first_seq, batches.c.first_seq + batches.c.number - 1)
)


def add_batch(transaction: Transaction, batch: KeyedBatch) -> None:
    """Keep the key of a batch whose tasks the same transaction has stored."""
    transaction.connection.execute(
        insert(batches).values(
            idempotency_key=batch.key,
            fingerprint=batch.fingerprint,
            first_seq=batch.first_seq,
            number=batch.number,
            looked_at=batch.stored_at,
        )
    )


def trim_batches(transaction: Transaction, now: int) -> int:
    """Forget some keys whose tasks have been gone for some days; return how many were looked at.

    A row that was found without tasks stays for `KEYS_DAYS` from then on. So that this costs
    deletions nothing, each other row is looked at once a day.
    """
    is_over = (batches.c.is_gone == 1) & (batches.c.looked_at < now - KEYS_DAYS * DAY)
    connection = transaction.connection
    over = select(batches.c.idempotency_key).where(is_over).limit(_AT_ONCE)
    forgotten = connection.execute(delete(batches).where(batches.c.idempotency_key.in_(over)))
    is_due = (batches.c.is_gone == 0) & (batches.c.looked_at < now - _LOOK_DAYS * DAY)
    due = select(batches.c.idempotency_key).where(is_due).limit(_AT_ONCE)
    looked_at = connection.execute(
        update(batches)
        .where(batches.c.idempotency_key.in_(due))
        .values(is_gone=case((_tasks_of.exists(), 0), else_=1), looked_at=now)
    )
    return forgotten.rowcount + looked_at.rowcount

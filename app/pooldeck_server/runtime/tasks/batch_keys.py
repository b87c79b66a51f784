"""Idempotency keys of whole batches: the same key stands for the same tasks, in one row."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
from sqlalchemy import Connection

from pooldeck_server.domain.errors import TaskDeleted
from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.runtime.tasks.idempotency import (
    IdempotencyKeys,
    check_same,
    fingerprint_of,
)
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader


class BatchKeys:
    """What the keys of batches stand for, and those whose tasks are on their way to the store."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._keys = IdempotencyKeys(reader)

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """Keep others with the same key waiting until the body ends."""
        return self._keys.hold([key])

    async def known(self, key: str, submissions: Sequence[Submission]) -> list[str] | None:
        """Return the ids that a batch was given under a key; None where the key is new.

        Raises:
            IdempotencyMismatch: If the key stands for another batch.
            TaskDeleted: If any of the tasks was deleted; it is not run again.
        """
        found = await self._reader.run(_found, key)
        if found is None:
            return None
        batch, unkeyed = found
        check_same(key, batch.fingerprint, fingerprint_of_batch(submissions))
        own = [
            (each.idempotency_key, fingerprint_of(each))
            for each in submissions
            if each.idempotency_key
        ]
        keyed = await self._keys.known(own) if own else {}
        rest = iter(unkeyed)
        ids = [
            keyed[name].id if name in keyed else next(rest, "") if name is None else ""
            for name in (each.idempotency_key for each in submissions)
        ]
        if gone := ids.count(""):
            raise _deleted(key, gone, len(ids))
        return ids


def _found(connection: Connection, key: str) -> tuple[KeyedBatch, list[str]] | None:
    batch = queries.batch_by_key(connection, key)
    return None if batch is None else (batch, queries.unkeyed_tasks(connection, batch))


def _deleted(key: str, gone: int, number: int) -> TaskDeleted:
    return TaskDeleted(
        f'the idempotency key "{key}" was used for a batch, and {gone} of its {number} tasks were '
        "deleted since; nothing of it is run again. To have it run once more, send it with a new "
        "key",
        idempotency_key=key,
    )


def fingerprint_of_batch(submissions: Sequence[Submission]) -> str:
    """Return a digest of everything that a batch asks for, the keys of its tasks too."""
    return hashlib.blake2b(msgspec.json.encode(submissions), digest_size=16).hexdigest()

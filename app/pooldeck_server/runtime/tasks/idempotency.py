"""Idempotency keys: the same key stands for the same task, as long as the task is kept."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import astuple
from sqlalchemy import Connection

from pooldeck_server.domain.errors import IdempotencyMismatch
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import NewTask, StoredTask
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_KEY: Final = Submission.__struct_fields__.index("idempotency_key")
_UNSAID: Final = list(astuple(Submission(""))[_KEY + 1 :])


class IdempotencyKeys:
    """What keys stand for, and those whose tasks are on their way to the store."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def hold(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Keep others with any of the same keys waiting until the body ends."""
        wanted = set(keys)
        while busy := [self._held[key] for key in wanted & self._held.keys()]:
            await asyncio.wait(busy)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held |= dict.fromkeys(wanted, done)
        try:
            yield
        finally:
            for key in wanted:
                del self._held[key]
            done.set_result(None)

    async def known(self, tasks: Sequence[NewTask]) -> dict[str, StoredTask]:
        """Return the stored tasks that have the keys of `tasks`.

        Raises:
            IdempotencyMismatch: If a key stands for another body, stored or among `tasks`.
        """
        bodies: dict[str, str | None] = {}
        for task in tasks:
            if (key := task.idempotency_key) is not None:
                check_same(key, bodies.setdefault(key, task.fingerprint), task.fingerprint)
        found = await self._reader.run(_tasks_by_key, list(bodies))
        for key, (_, fingerprint) in found.items():
            check_same(key, fingerprint, bodies[key])
        return {key: task for key, (task, _) in found.items()}


def _tasks_by_key(
    connection: Connection, keys: list[str]
) -> dict[str, tuple[StoredTask, str | None]]:
    """Return the stored tasks of `keys` with the fingerprints of their bodies."""
    found = {}
    for key in keys:
        owner = queries.task_by_key(connection, key)
        task = owner and queries.task(connection, owner.id)
        if owner and task:
            found[key] = (task, owner.fingerprint)
    return found


def check_same(key: str, fingerprint: str | None, other: str | None) -> None:
    """Refuse a key that was used with another body.

    Raises:
        IdempotencyMismatch: Then.
    """
    if fingerprint != other:
        raise IdempotencyMismatch(
            f'the idempotency key "{key}" was used with another body; use a new key',
            idempotency_key=key,
        )


def fingerprint_of(submission: Submission) -> str:
    """Return a digest of everything that a submission asks for, except its key.

    The fields behind the key came later: they count where any of them is given, so that digests
    that databases have from before stay true.
    """
    body = [bytes(value) if isinstance(value, Raw) else value for value in astuple(submission)]
    later = body[_KEY + 1 :]
    asked = body[:_KEY] + (later if later != _UNSAID else [])
    return hashlib.blake2b(msgspec.msgpack.encode(asked), digest_size=16).hexdigest()

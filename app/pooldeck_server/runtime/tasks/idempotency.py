"""Idempotency keys: the same key stands for the same task, and for some days after its deletion."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import astuple
from sqlalchemy import Connection

from pooldeck_server.domain.errors import IdempotencyMismatch, TaskDeleted
from pooldeck_server.domain.retention import DeletedInfo
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

KeyTask: TypeAlias = StoredTask | DeletedInfo
"""What a key stands for: a task as it is, or what is known of one that was deleted."""

_KEY: Final = Submission.__struct_fields__.index("idempotency_key")
_TIES: Final = slice(_KEY + 1, _KEY + 3)
_UNSAID: Final = list(astuple(Submission(""))[_TIES])
_UNGIVEN: Final = (None, UNSET)


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

    async def known(self, asked: Iterable[tuple[str | None, str | None]]) -> dict[str, KeyTask]:
        """Return the tasks that have keys which are `asked` for, also those that were deleted.

        Args:
            asked: Each key with the digest of the body that came with it; None: there is no key.

        Raises:
            IdempotencyMismatch: If a key stands for another body, stored or among those asked for.
        """
        bodies: dict[str, str | None] = {}
        for key, fingerprint in asked:
            if key is not None:
                check_same(key, bodies.setdefault(key, fingerprint), fingerprint)
        found = await self._reader.run(_tasks_by_key, list(bodies))
        for key, (_, fingerprint) in found.items():
            check_same(key, fingerprint, bodies[key])
        return {key: task for key, (task, _) in found.items()}


def _tasks_by_key(connection: Connection, keys: list[str]) -> dict[str, tuple[KeyTask, str | None]]:
    """Return the tasks of `keys` with the fingerprints of their bodies."""
    found: dict[str, tuple[KeyTask, str | None]] = {}
    for key in keys:
        owner = queries.task_by_key(connection, key)
        task = owner and queries.task(connection, owner.id)
        if owner and task:
            found[key] = (task, owner.fingerprint)
        elif gone := queries.deleted_by_key(connection, "task", key):
            found[key] = (gone, gone.fingerprint)
    return found


def still_there(task: KeyTask, key: str) -> StoredTask:
    """Return the task of a key, unless it was deleted.

    Raises:
        TaskDeleted: If it was; it is not run again.
    """
    if isinstance(task, DeletedInfo):
        raise deleted_under(key, "task", task)
    return task


def deleted_under(key: str, kind: str, known: DeletedInfo) -> TaskDeleted:
    """Return what is said of a key whose task or pipeline was deleted."""
    return TaskDeleted(
        f'the idempotency key "{key}" was used for {kind} {known.id}, which was deleted since; '
        "it is not run again. To have it run once more, send it with a new key",
        idempotency_key=key,
        id=known.id,
    )


def check_same(key: str, fingerprint: str | None, other: str | None) -> None:
    """Raise `IdempotencyMismatch` for a key that was used with another body."""
    if fingerprint != other:
        raise IdempotencyMismatch(
            f'the idempotency key "{key}" was used with another body; use a new key',
            idempotency_key=key,
        )


def fingerprint_of(submission: Submission) -> str:
    """Return a digest of everything that a submission asks for, except its key.

    The fields behind the key came later: `after` and `on_failure` count where any of them is given,
    and `callback` and `needs` where they are, so that digests that databases have from before stay
    true.
    """
    body = [bytes(value) if isinstance(value, Raw) else value for value in astuple(submission)]
    more = [
        each for each in (submission.callback or None, submission.needs) if each not in _UNGIVEN
    ]
    is_plain = body[_TIES] == _UNSAID and not more
    asked = body[:_KEY] + ([] if is_plain else body[_TIES]) + more
    return hashlib.blake2b(msgspec.msgpack.encode(asked), digest_size=16).hexdigest()

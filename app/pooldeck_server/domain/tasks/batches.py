"""A batch that was sent under an idempotency key of its own."""

from msgspec import Struct


class KeyedBatch(Struct, frozen=True):
    """What is kept of one, in a single row: its new tasks are those numbered from `first_seq` on.

    Args:
        key: The idempotency key of the whole.
        fingerprint: A digest of what was asked for, to tell a repeated key from a reused one.
        first_seq: The number of the first task that was stored with it.
        number: How many were.
        stored_at: When, in microseconds since the epoch.
    """

    key: str
    fingerprint: str
    first_seq: int
    number: int
    stored_at: int

"""Hosts that were attached to a run of the server, as the record has them."""

from msgspec import Struct


class Attachment(Struct, frozen=True):
    """A host process that may have been handed calls. `attached_at` is in microseconds.

    What runs there ends at most `lease_seconds` after the last word of the server, and is swept
    within `margin_seconds` more.
    """

    boot: str
    pool: str
    name: str
    term: int  # of the run that it was attached to
    lease_seconds: float
    margin_seconds: float
    attached_at: int

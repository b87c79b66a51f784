"""What waits to be sent, of alerts and of callbacks: how much, since when, and who is not told."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

UNTOLD_SECONDS: Final = 2 * 3600.0
"""How long the oldest must have waited for somebody to be asked to look."""


class MessageKind(StrEnum):
    """What a message tells of."""

    ALERT = "alert"
    CALLBACK = "callback"


class SendOutcome(StrEnum):
    """How a try to send ended."""

    DELIVERED = "delivered"
    FAILED = "failed"  # it is tried again
    GIVEN_UP = "given_up"


class Waiting(Struct, frozen=True):
    """Messages of one kind that wait, and since when the oldest does (microseconds)."""

    number: int = 0
    since: int | None = None


class OutboxState(Struct, frozen=True):
    """What waits for those who are to be told, and those that the server turned off by itself."""

    alerts: Waiting = Waiting()
    callbacks: Waiting = Waiting()
    destinations: int = 0
    destinations_off: int = 0  # by hand or by the server
    turned_off: int = 0  # by the server: destinations, and callbacks as one more

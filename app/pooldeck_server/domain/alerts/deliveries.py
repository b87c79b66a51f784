"""Destinations of alerts, and the deliveries to them: what is kept, and when one is tried again.

Times are microseconds since the epoch.
"""

from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from pooldeck_server.domain.alerts.rules import AlertRule
from pooldeck_server.domain.clock import HOUR, MINUTE, SECOND

MAX_URL: Final = 2048  # characters
MAX_NAME: Final = 60
MAX_DESTINATIONS: Final = 20
MAX_WAITING: Final = 100
"""Deliveries that wait for one destination; the oldest are given up for newer ones."""

MAX_KEPT: Final = 500
"""Deliveries that have ended and are kept, over all destinations."""

MAX_PAYLOAD: Final = 20_000  # bytes: a message of Standard Webhooks is smaller than 20 kB
MAX_ANSWER: Final = 300  # characters of an answer that are kept

OVERLAP: Final = 24 * HOUR
"""How long an earlier secret goes on signing after it was replaced."""

_PAUSES: Final = (
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""After each failed try, as in the recommendations of Standard Webhooks 1.0.0: over three days."""

_JITTER: Final = 0.2
_LONGEST_PAUSE: Final = 24 * HOUR


def without_secrets(url: str) -> str:
    """Return where an address leads without what may be secret: paths and queries often are."""
    parts = urlsplit(url)
    bare = parts.path in {"", "/"} and not parts.query
    return f"{parts.scheme}://{parts.netloc}/{'' if bare else '…'}"


class DestinationKind(StrEnum):
    """How a destination is reached."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"


class DeliveryState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class SigningSecret(Struct, frozen=True):
    """A secret that signs, to the end of a change over if there is one."""

    secret: str
    until: int | None = None


class StoredDestination(Struct, frozen=True):
    """A destination without its secrets."""

    id: int
    name: str
    kind: DestinationKind
    url: str
    is_on: bool
    trouble: str | None  # why the server turned it off by itself
    created_at: int
    rules: tuple[AlertRule, ...] | None = None  # that it is told of; None: all

    def takes(self, rule: AlertRule) -> bool:
        return self.rules is None or rule in self.rules

    @property
    def shown_url(self) -> str:
        """Return where it leads without what may be secret: paths and queries often are."""
        if self.kind is DestinationKind.APPRISE:
            return f"{urlsplit(self.url).scheme}://…"
        return without_secrets(self.url)


class NewDestination(Struct, frozen=True):
    """A destination that is to be kept."""

    name: str
    kind: DestinationKind
    url: str
    secrets: tuple[SigningSecret, ...]
    rules: tuple[AlertRule, ...] | None = None


class NewDelivery(Struct, frozen=True):
    """A message that is to be sent to one destination."""

    destination: int
    message: str  # its id
    type: str
    payload: str


class StoredDelivery(Struct, frozen=True):
    """One message on its way to one destination."""

    id: int
    message: str  # the id that all tries and all destinations have in common
    destination: int
    name: str  # the destination's
    type: str
    state: DeliveryState
    tries: int
    created_at: int
    next_at: int | None
    last_at: int | None
    status: int | None  # of the last answer
    answer: str | None  # how the last try ended, in words


class DueDelivery(Struct, frozen=True):
    """A delivery whose time has come, with all that sending it takes."""

    id: int
    message: str
    destination: int
    kind: DestinationKind
    url: str
    secrets: tuple[SigningSecret, ...]
    payload: str
    tries: int
    name: str  # the destination's


class Attempted(Struct, frozen=True):
    """How a try to deliver ended."""

    is_delivered: bool
    words: str
    status: int | None = None
    retry_after: float | None = None  # seconds that the receiver asks to be left alone
    is_gone: bool = False  # it never wants to hear of anything again


def next_try(tries: int, now: int, chance: float, retry_after: float | None = None) -> int | None:
    """Return when to try again after so many `tries`; None: it is given up.

    Args:
        tries: How many there have been, 1 or more.
        now: Microseconds since the epoch.
        chance: A random number from 0 to 1, which spreads the tries.
        retry_after: The seconds that the receiver asked for, of which a day is granted.
    """
    if tries > len(_PAUSES):
        return None
    pause = int(_PAUSES[tries - 1] * (1 + _JITTER * (2 * chance - 1)))
    asked = int(min(max(retry_after or 0.0, 0.0), 86_400.0) * SECOND)
    return now + min(max(pause, asked), _LONGEST_PAUSE)

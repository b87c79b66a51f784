"""Callbacks: the end of a task, told to an address that came with its submission.

Times are microseconds since the epoch.
"""

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from pooldeck_server.domain.alerts.deliveries import (
    DeliveryState,
    SigningSecret,
    without_secrets,
)

TASK_ENDED: Final = "task.ended"
"""The type of the message."""

MAX_HOSTS: Final = 20
"""That the submissions of one call may name: each name is looked up."""

MAX_WAITING: Final = 50_000
"""Ends that wait to be told, over all hosts; the oldest are given up for newer ones."""

MAX_WAITING_FOR_HOST: Final = 10_000
"""Of these, how many may be for one host: one that is down for days leaves room to others."""

MAX_KEPT: Final = 1000
"""Ends that were told or given up and are kept."""


class Signing(Struct, frozen=True):
    """What signs all callbacks; without secrets, nobody has turned callbacks on yet."""

    secrets: tuple[SigningSecret, ...] = ()
    is_on: bool = False
    trouble: str | None = None  # why the server turned them off by itself


class EndedTask(Struct, frozen=True, kw_only=True):
    """How a task ended, thin as Standard Webhooks prefers it: no arguments, results, messages."""

    id: str
    function: str
    pool: str
    state: str
    attempt: int
    created_at: str
    started_at: str | None
    finished_at: str
    error_kind: str | None
    error_type: str | None
    path: str  # of the task in the API


class EndMessage(Struct, frozen=True):
    """The body of a callback."""

    type: str
    timestamp: str
    data: EndedTask


class StoredCallback(Struct, frozen=True):
    """The end of a task on its way, or what became of that."""

    id: int
    message: str  # the id that all tries have in common
    task: str
    url: str
    state: DeliveryState
    tries: int
    created_at: int
    next_at: int | None
    last_at: int | None
    status: int | None  # of the last answer
    answer: str | None  # how the last try ended, in words

    @property
    def shown_url(self) -> str:
        """Return where it leads without what may be secret: paths and queries often are."""
        return without_secrets(self.url)


class DueCallback(Struct, frozen=True):
    """An end whose time to be told has come."""

    id: int
    message: str
    task: str
    url: str
    host: str
    payload: str
    tries: int


class CallbackLook(Struct, frozen=True):
    """A look for what is due: on from the host `after`, without those that rest or are full."""

    limit: int
    of_host: int
    after: str = ""
    resting: frozenset[str] = frozenset()
    busy: tuple[int, ...] = ()  # deliveries that are being sent


def host_of(url: str) -> str:
    """Return what is left alone while it does not answer: the host of an address, with its port."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:  # brackets that are no IPv6 address: it is refused later
        return ""

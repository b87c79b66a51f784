"""Servers beside this program: what it submits goes to the latest of them, unless told otherwise.

`pooldeck.Server` and `pooldeck.asgi()` offer themselves here for as long as they run. Each has one
client for the whole process, which is made when it is first asked for, and closed with the server.
"""

import os
import threading
import weakref
from typing import TYPE_CHECKING, Final, Protocol

from pooldeck.client.places import Place
from pooldeck.marks import WORKER

if TYPE_CHECKING:
    from pooldeck.client.client import Client

_TO_CLOSE: Final = 10.0  # seconds for what was submitted and is not stored yet
_SAID_ELSEWHERE: Final = ("POOLDECK_URL", "POOLDECK_PROFILE")


class Beside(Protocol):
    """A server beside this program."""

    def place(self) -> Place:
        """Return where it is; start it if it starts when it is needed."""


class _Offer:
    """A server, as long as somebody keeps it, and the client for it."""

    def __init__(self, server: Beside) -> None:
        self.server = weakref.ref(server)
        self._lock = threading.Lock()
        self._place: Place | None = None
        self._client: Client | None = None

    def client(self) -> "Client | None":
        """Return its client, another one when the server has another place by now."""
        server = self.server()
        if server is None:
            return None
        place = server.place()
        with self._lock:
            if self._client is None or self._client.is_closed or place != self._place:
                self._place, self._client = place, _client_at(place)
            return self._client

    def close(self) -> None:
        """Close its client, if there is one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(_TO_CLOSE)


_offers: list[_Offer] = []


def offer(server: Beside) -> None:
    """Let what this program submits go to a server, before those that were offered earlier."""
    if all(each.server() is not server for each in _offers):
        _offers.append(_Offer(server))


def withdraw(server: Beside) -> None:
    """Let nothing more go to a server; close its client."""
    for each in list(_offers):
        if each.server() in (None, server):
            _offers.remove(each)
            each.close()


def offered_client() -> "Client | None":
    """Return the client of the latest server beside this program.

    Returns:
        None where there is no such server, where a variable says which other one to take, and in a
        worker, which may load the program and is not to start what it starts.

    Raises:
        ServerNotStarted: If the server, which starts when it is needed, cannot.
    """
    if WORKER in os.environ or any(os.environ.get(name) for name in _SAID_ELSEWHERE):
        return None
    found = (each.client() for each in reversed(_offers))
    return next((client for client in found if client is not None), None)


def _client_at(place: Place) -> "Client":
    from pooldeck.client.client import Client  # noqa: PLC0415 - who only looks needs none

    return Client(place.url, place.token)

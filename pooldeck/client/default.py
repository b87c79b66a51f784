"""The client that `add.submit(...)` and the like use: one for each process."""

import threading

from pooldeck.client.client import Client
from pooldeck.client.offers import offered_client

_lock = threading.Lock()
_chosen: Client | None = None  # what `use` has set
_usual: Client | None = None  # where nothing was set and no server is beside the program


def default_client() -> Client:
    """Return the client of this process, made when it is first asked for.

    It is the one that `use` has set; else one for the latest `pooldeck.Server` or `pooldeck.asgi()`
    of this program that runs, unless POOLDECK_URL or POOLDECK_PROFILE says where to go; else it
    finds the server as `Client()` does.

    Raises:
        ServerNotStarted: If the server of `pooldeck.asgi()` is not there yet and cannot start.
    """
    chosen = _chosen
    if chosen is not None and not chosen.is_closed:
        return chosen
    return offered_client() or _usual_client()


def use(client: Client | None) -> Client | None:
    """Set the client of this process; None has it found anew. Return the one that was set before.

    It counts before any server beside the program.
    """
    global _chosen, _usual  # noqa: PLW0603 - one for each process is what it is
    with _lock:
        before, _chosen = _chosen, client
        if client is None:
            _usual = None
        return before


def _usual_client() -> Client:
    global _usual  # noqa: PLW0603 - one for each process is what it is
    with _lock:
        if _usual is None or _usual.is_closed:
            _usual = Client()
        return _usual

"""Tasks on a server, as futures: what programs use to talk to a running Pooldeck.

The way of a submission: `submitting` (what users call) → `submit_options` and `arguments` (its
body) → `engine` → `batches` → `http`. The way back: `watch` → `ends` → `future`. `client` runs the
engine in a thread, `async_client` in the caller's loop. `places` says where a server is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pooldeck.client.async_client import AsyncClient
    from pooldeck.client.client import Client
    from pooldeck.client.default import default_client, use
    from pooldeck.client.future import RemoteFuture
    from pooldeck.client.pipelines import ITEM

__all__ = ["ITEM", "AsyncClient", "Client", "RemoteFuture", "default_client", "use"]

_HOMES: Final = {
    "AsyncClient": "async_client",
    "Client": "client",
    "ITEM": "pipelines",
    "RemoteFuture": "future",
    "default_client": "default",
    "use": "default",
}


def __getattr__(name: str) -> Any:
    """Load what is used: an HTTP client takes a while, and `places` needs none."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

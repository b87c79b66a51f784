"""Functions, workers and pools: what user code and worker processes import."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pooldeck import client, shared
    from pooldeck.beside.child import ServerNotStarted
    from pooldeck.beside.deck import asgi
    from pooldeck.beside.server import Server
    from pooldeck.client.async_client import AsyncClient
    from pooldeck.client.client import Client
    from pooldeck.client.future import RemoteFuture
    from pooldeck.context import CurrentTask, current_task
    from pooldeck.executor import ProcessPool
    from pooldeck.functions import task
    from pooldeck.registered_types import register_type
    from pooldeck.remote_executor import RemoteExecutor
    from pooldeck.resources import resource

__all__ = [
    "AsyncClient",
    "Client",
    "CurrentTask",
    "ProcessPool",
    "RemoteExecutor",
    "RemoteFuture",
    "Server",
    "ServerNotStarted",
    "asgi",
    "client",
    "current_task",
    "register_type",
    "resource",
    "shared",
    "task",
]

_HOMES = {
    "AsyncClient": "client.async_client",
    "Client": "client.client",
    "CurrentTask": "context",
    "ProcessPool": "executor",
    "RemoteExecutor": "remote_executor",
    "RemoteFuture": "client.future",
    "Server": "beside.server",
    "ServerNotStarted": "beside.child",
    "asgi": "beside.deck",
    "current_task": "context",
    "register_type": "registered_types",
    "resource": "resources",
    "task": "functions",
}
_MODULES = frozenset({"client", "shared"})


def __getattr__(name: str) -> Any:
    """Load what is used when it is: nobody needs all of it, and some of it takes a while."""
    if name in _HOMES:
        found = getattr(import_module(f"pooldeck.{_HOMES[name]}"), name)
    elif name in _MODULES:
        found = import_module(f"pooldeck.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found

"""How a worker reaches the process that keeps shared state, and how much fits in there.

It stands beside the package `pooldeck.shared`, which only workers load whose tasks use it.
"""

from msgspec import Struct


class SharedLimits(Struct, frozen=True, array_like=True):
    """Bounds of shared state: how many names, and how many bytes of one value and in all."""

    names: int = 10_000
    value_bytes: int = 1024 * 1024
    total_bytes: int = 64 * 1024 * 1024


class Access(Struct, frozen=True, array_like=True):
    """The way to the process: the path of its socket, and the key that it asks for."""

    address: str
    key: bytes
    limits: SharedLimits = SharedLimits()

    def __repr__(self) -> str:
        return f"Access({self.address!r}, key=..., {self.limits!r})"


class Way(Struct, frozen=True):
    """The access of this process: that of the worker which it is, or was forked from."""

    access: Access
    worker: str


_way: Way | None = None


def give(access: Access, worker: str) -> None:
    """Let this process use the shared state of its server.

    Args:
        access: The way there.
        worker: The id of the worker that this process is.
    """
    global _way  # noqa: PLW0603 - a process is a worker of one server, or of none
    _way = Way(access, worker)


def given() -> Way | None:
    """Return the access of this process, None if it is no worker of a server."""
    return _way

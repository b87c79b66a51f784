"""The access of a worker to the process that keeps shared state, and the limits there.

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


_own: tuple[Access, str] | None = None


def set_access(access: Access, worker: str) -> None:
    """Let this process, which is a worker, use the shared state of its server."""
    global _own  # noqa: PLW0603 - a process is a worker of one server, or of none
    _own = access, worker


def worker_access() -> tuple[Access, str] | None:
    """Return the access of this process and the worker that it is, or was forked from, if any."""
    return _own

"""The address by which a server is reached from its own machine."""

from typing import Final

_ALL: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - loopback is one of them


def is_loopback(host: str) -> bool:
    """Tell whether only the machine itself reaches what is bound to a host, by name or number."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def authority(host: str, port: int) -> str:
    """Return a host and a port as an address has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def from_here(host: str, port: int, root_path: str = "") -> str:
    """Return the address for programs of the same machine.

    Args:
        host: What the server is bound to, by number.
        port: The port that it is bound to.
        root_path: The path below which it is shown.
    """
    return f"http://{authority(_ALL.get(host, host), port)}{root_path}"

"""Addresses that forms bring along."""

from typing import Final

HOME: Final = "/"


def own_path(wanted: str) -> str:
    """Return `wanted` if it is a path of this server; anything else could lead away from it."""
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_path and wanted.isprintable() else HOME

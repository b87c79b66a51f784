"""Addresses that forms bring along."""

import re
from typing import Final
from urllib.parse import unquote

HOME: Final = "/"


def own_path(wanted: str) -> str:
    """Return `wanted` if it is a path of this server; anything else could lead away from it."""
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    climbs = not {".", ".."}.isdisjoint(re.split(r"[/\\]", unquote(re.split("[?#]", wanted)[0])))
    return wanted if is_path and wanted.isprintable() and not climbs else HOME

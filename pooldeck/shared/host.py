"""The companion process that keeps shared state, from the server's side."""

import sys
from collections.abc import Callable
from typing import ClassVar

import msgspec

from pooldeck.access import Access
from pooldeck.companion import Companion
from pooldeck.marks import BOOT


class StateProcess(Companion):
    """Keeps shared state in a process of its own for as long as this one lives.

    It carries the mark of the boot. `access` is the same for each that takes another's place.
    """

    name: ClassVar[str] = "process that keeps shared state"

    def __init__(self, boot: str, access: Access, on_lost: Callable[[], None]) -> None:
        super().__init__(on_lost)
        self._boot = boot
        self._access = access

    def command(self, descriptor: int) -> list[str]:
        """Return the command: user code has no way in, neither by PYTHONPATH nor from here."""
        user_site = ["-s"] if sys.flags.no_user_site else []
        return ["-P", "-E", *user_site, "-m", "pooldeck.shared.process", str(descriptor)]

    def environment(self) -> dict[str, str]:
        """Return the environment: with the mark, so that the keeper ends it at the latest."""
        return super().environment() | {BOOT: self._boot}

    def greeting(self) -> bytes:
        """Return the access: the key is neither on the command line nor in the environment."""
        return msgspec.json.encode(self._access) + b"\n"

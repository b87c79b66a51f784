"""Where a server beside a program is: what it writes into its data folder once it answers."""

import os
from pathlib import Path
from typing import Final, Self

import msgspec
from msgspec import Struct

from pooldeck.beside.attachment import FOLDER

VARIABLE: Final = "POOLDECK_BESIDE"
"""Tells a server that it lives as long as somebody is attached: `KEPT` or `TEMPORARY`."""
KEPT: Final = "kept"
TEMPORARY: Final = "temporary"  # it takes its data folder with it

_FILE: Final = f"{FOLDER}/address.json"


class Address(Struct, frozen=True):
    """A server's address; `token` is what it asks for, None if it asks for nothing."""

    url: str
    pid: int
    token: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the one in a data folder, None if there is none."""
        try:
            return msgspec.json.decode((folder / _FILE).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, folder: Path) -> None:
        """Write it, whole at any moment, for this user alone.

        Raises:
            OSError: If it cannot be written.
        """
        new = folder / f"{_FILE}.{os.getpid()}"
        new.unlink(missing_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        new.write_bytes(msgspec.json.encode(self))
        new.replace(folder / _FILE)

    @staticmethod
    def remove(folder: Path) -> None:
        """Take away what was written."""
        (folder / _FILE).unlink(missing_ok=True)

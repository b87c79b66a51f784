"""What can befall the files of the database under a running server."""

from enum import StrEnum

from msgspec import Struct


class Displaced(StrEnum):
    """How the files at their paths are no longer those that the server opened."""

    MISSING = "missing"  # deleted, or moved away
    REPLACED = "replaced"  # another file stands in its place
    TAKEN = "taken"  # the lock file was removed, and another server has locked a new one


class Displacement(Struct, frozen=True):
    """What is wrong with which file.

    Attributes:
        how: What is wrong.
        file: The path of the file.
        holder: The process id of the other server, where there is one.
    """

    how: Displaced
    file: str
    holder: str | None = None

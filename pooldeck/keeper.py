"""The keeper, a companion process that ends what a dead server has left, from the server's side.

It is `pooldeck.marks` run as a program. When the server's end of its pipe closes, the server is
gone.
"""

import sys
from typing import ClassVar

from pooldeck import marks
from pooldeck.companion import Companion


class Keeper(Companion):
    """A process that ends whatever carries a boot's mark as soon as this process is gone.

    At its own end it sweeps a last time. Its environment carries no marks.
    """

    name: ClassVar[str] = "keeper"

    def __init__(self, boot: str) -> None:
        super().__init__()
        self._boot = boot
        self._until: float | None = None

    def extend(self, until: float) -> bool:
        """Let what carries the mark live until a moment, and no longer.

        Args:
            until: By the clock of `marks.moment`.

        Returns:
            Whether a keeper has been told; the next one learns it at its start.
        """
        if not self._tell(_told(until)):
            return False
        self._until = until
        return True

    def greeting(self) -> bytes:
        """Return until when, if that is known."""
        return b"" if self._until is None else _told(self._until)

    def command(self, descriptor: int) -> list[str]:
        """Return the command that runs the keeper."""
        return [*_flags(), marks.__file__, str(descriptor), self._boot]


def _told(until: float) -> bytes:
    return marks.UNTIL + marks.SECONDS.pack(until)


def _flags() -> list[str]:
    """Return what keeps the keeper small, and user code out of it.

    Without `site` neither a `sitecustomize` nor the packages' own start-up code is run. Only
    psutil makes it necessary; it may be in the user's site-packages, as Pooldeck itself.
    """
    if marks.HAS_PIDFD:
        return ["-P", "-E", "-S"]
    return ["-P", "-E", "-s"] if sys.flags.no_user_site else ["-P", "-E"]

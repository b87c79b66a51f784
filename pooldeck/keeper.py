"""The keeper from the server's side.

The keeper is `pooldeck.marks` run as a program. When the server's end of the line to it closes, the
server is gone, and the keeper ends what it left behind.
"""

import sys
from typing import ClassVar

from pooldeck import marks
from pooldeck.companion import Companion


class Keeper(Companion):
    """A process that ends whatever carries a boot's mark as soon as this process is gone.

    When it is let go, it sweeps a last time. Its own environment carries no marks.

    Args:
        boot: The mark of this run of the server.
    """

    name: ClassVar[str] = "keeper"

    def __init__(self, boot: str) -> None:
        super().__init__()
        self._boot = boot

    def command(self, descriptor: int) -> list[str]:
        """Return the command that runs the keeper."""
        return [*_flags(), marks.__file__, str(descriptor), self._boot]


def _flags() -> list[str]:
    """Return what keeps the keeper small, and user code out of it.

    Without `site` neither a `sitecustomize` nor the packages' own start-up code is run. Only
    psutil makes it necessary; it may be in the user's site-packages, as Pooldeck itself.
    """
    if marks.HAS_PIDFD:
        return ["-P", "-E", "-S"]
    return ["-P", "-E", "-s"] if sys.flags.no_user_site else ["-P", "-E"]

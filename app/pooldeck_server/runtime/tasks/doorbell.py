"""A socket that stands in for a process until somebody wants that process.

Whoever connects rings; the owner is told once, starts the process, and takes the bell away. The
connections that rang end then, and who made them connects again, to the process.
"""

import asyncio
import socket
from collections.abc import Callable


class Doorbell:
    """Listens at a path of the file system, and answers nothing.

    Args:
        path: Where; there must be nothing else.
        rung: Called on the event loop, once, when somebody has connected.
    """

    def __init__(self, path: str, rung: Callable[[], None]) -> None:
        self._path = path
        self._rung = rung
        self._listener: socket.socket | None = None

    def hang(self) -> None:
        """Begin to listen.

        Raises:
            OSError: If that cannot be.
        """
        self._listener = listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(self._path)
            listener.listen()
            listener.setblocking(False)
        except OSError:
            self._listener = None
            listener.close()
            raise
        asyncio.get_running_loop().add_reader(listener, self._ring)

    def _ring(self) -> None:
        self._be_silent()
        self._rung()

    def _be_silent(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)

    def take_away(self) -> None:
        """End, and with it the connections that have rung; the path is left to whoever has it."""
        self._be_silent()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

"""`python -m pooldeck.shared.process FD`: the process that keeps shared state.

It serves a `multiprocessing.managers` server on a socket in a folder that is the server's alone, to
whoever knows the key. Path, key and limits come over the line to the server, in one line of JSON;
when that line closes, the server is gone, and so is this.

    worker's thread ── connection ──▶ thread of its own ──▶ State, one step after the other
    server ────────── worker ended ──▶ its locks are taken back
"""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from multiprocessing import managers
from pathlib import Path
from typing import Any, Final

import msgspec

from pooldeck.access import Access
from pooldeck.marks import READY
from pooldeck.shared.state import State
from pooldeck.shared.wire import SERIALIZER, STATE, DataListener, answered

_EXPOSED: Final = {"ask"}
_OPERATIONS: Final = frozenset({"call", "acquire", "delete", "forget", "identify", "picture"})


class Requests:
    """What workers reach.

    Args:
        state: What they share.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def ask(self, operation: str, *arguments: Any) -> tuple[str, Any]:
        """Have the state do something; return what it came to."""
        if operation not in _OPERATIONS:
            raise ValueError(f"there is no operation {operation}")
        return answered(getattr(self._state, operation), arguments)


class StateServer(managers.Server):
    """A manager's server with one object, which is there from the start.

    Args:
        access: Where it listens, and for whom.
    """

    def __init__(self, access: Access) -> None:
        super().__init__({}, access.address, access.key, SERIALIZER)
        self._state = State(access.limits)
        self.id_to_obj[STATE] = (Requests(self._state), _EXPOSED, {})

    def handle_request(self, c: Any) -> None:
        """Serve a connection until it ends; then its thread holds nothing any more."""
        try:
            super().handle_request(c)
        finally:
            self._state.leave()


def main(descriptor: int) -> None:
    """Keep shared state until the server is gone.

    Args:
        descriptor: The number of the inherited end of the line to the server.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    with socket.socket(fileno=descriptor) as line:
        _serve(_received(line))
        with suppress(OSError):  # the server is gone already
            line.sendall(READY)
            line.recv(1)
    os._exit(0)  # whatever its threads are doing: who they serve is gone


def _received(line: socket.socket) -> Access:
    with line.makefile("rb") as told:
        return msgspec.json.decode(told.readline(), type=Access)


def _serve(access: Access) -> None:
    """Listen from now on; what a process before this one has left is out of the way."""
    Path(access.address).unlink(missing_ok=True)
    serializers = managers.listener_client  # type: ignore[attr-defined]  # the stubs lack it
    serializers[SERIALIZER] = (DataListener, None)
    server = StateServer(access)
    threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]))

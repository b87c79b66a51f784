"""`python -m pooldeck.shared.process FD`: the process that keeps shared state.

It serves a `multiprocessing.managers` server on a socket in a folder that is the server's alone, to
clients that know the key. Path, key and limits come over the pipe to the server, in one line of
JSON; when that pipe closes, the server is gone, and this process ends.

    worker's thread ── connection ──▶ thread of its own ──▶ State, one step after the other
    server ────────── worker ended ──▶ its locks are taken back
"""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import managers
from pathlib import Path
from typing import Any, Final

import msgspec

from pooldeck.access import Access
from pooldeck.end_signals import END_SIGNALS
from pooldeck.marks import READY
from pooldeck.shared.state import State
from pooldeck.shared.wire import SERIALIZER, STATE, DataListener, run_operation

_EXPOSED: Final = {"handle"}
_OPERATIONS: Final = frozenset(
    {"call", "acquire", "delete", "release_worker", "identify", "snapshot"}
)


@dataclass(frozen=True)
class Requests:
    """What workers reach of the state."""

    state: State

    def handle(self, operation: str, *arguments: Any) -> tuple[str, Any]:
        """Run an operation of the state; return how it ended."""
        if operation not in _OPERATIONS:
            raise ValueError(f"there is no operation {operation}")
        return run_operation(getattr(self.state, operation), arguments)


class StateServer(managers.Server):
    """A manager's server with one object, which is there from the start."""

    def __init__(self, access: Access) -> None:
        super().__init__({}, access.address, access.key, SERIALIZER)
        self._state = State(access.limits)
        self.id_to_obj[STATE] = (Requests(self._state), _EXPOSED, {})

    def handle_request(self, c: Any) -> None:
        """Serve a connection until it ends, and release what its thread holds."""
        try:
            super().handle_request(c)
        finally:
            self._state.release_session()


def main(descriptor: int) -> None:
    """Keep shared state until the server closes its end of the pipe."""
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    with socket.socket(fileno=descriptor) as pipe:
        _serve(_receive_access(pipe))
        with suppress(OSError):  # the server is gone already
            pipe.sendall(READY)
            while pipe.recv(64):
                pipe.sendall(READY)
    os._exit(0)  # whatever its threads are doing: their clients are gone


def _receive_access(pipe: socket.socket) -> Access:
    with pipe.makefile("rb") as file:
        return msgspec.json.decode(file.readline(), type=Access)


def _serve(access: Access) -> None:
    """Listen from now on; what a process before this one has left is out of the way."""
    Path(access.address).unlink(missing_ok=True)
    serializers = managers.listener_client  # type: ignore[attr-defined]  # the stubs lack it
    serializers[SERIALIZER] = (DataListener, None)
    server = StateServer(access)
    threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""One thread's connection to the process that keeps shared state."""

import socket
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from threading import current_thread
from typing import Any, Final

from pooldeck.access import Access
from pooldeck.shared.errors import SharedError, SharedUnavailableError
from pooldeck.shared.wire import STATE, DataConnection, unwrap
from pooldeck.worker.descriptors import lift

_PATIENCE: Final = 10.0  # seconds for a process that has died to be replaced
_PAUSE: Final = 0.05
_NO_LISTENER: Final = (EOFError, ConnectionError, FileNotFoundError, BlockingIOError)
_sleep, _monotonic = time.sleep, time.monotonic  # kept, since tasks may replace them


class StateConnection:
    """A connection for one thread's requests, to a process that answers within ten seconds."""

    def __init__(self, access: Access) -> None:
        self._connection = _connect(access)
        self.state: str = self.request("identify")  # tells it from one before or after it

    def request(self, operation: str, *arguments: Any) -> Any:
        """Call a method of `State` there and return its answer, as `Backend.call` does.

        Raises:
            OSError, EOFError: If the other end is gone.
        """
        return unwrap(_request(self._connection, STATE, "handle", operation, *arguments))

    def close(self) -> None:
        with suppress(OSError):
            self._connection.close()

    @property
    def is_closed(self) -> bool:
        """Tell whether it cannot be used any more, as after an interruption."""
        return self._connection.is_closed


def _connect(access: Access) -> DataConnection:
    until = _monotonic() + _PATIENCE
    while True:
        try:
            return _handshake(access)
        except _NO_LISTENER as error:
            if _monotonic() >= until:
                raise SharedUnavailableError(
                    f"the process that keeps shared state does not answer: {error}"
                ) from error
        except AuthenticationError as error:
            raise SharedUnavailableError(
                "the process that keeps shared state belongs to another run of the server"
            ) from error
        _sleep(_PAUSE)


def _handshake(access: Access) -> DataConnection:
    raw: Connection[Any, Any] = Connection(lift(_socket(access.address)))
    try:
        answer_challenge(raw, access.key)
        deliver_challenge(raw, access.key)
        connection = DataConnection(raw)
        _request(connection, None, "accept_connection", current_thread().name)
    except BaseException:
        raw.close()
        raise
    return connection


def _socket(address: str) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.connect(address)
        return made.detach()


def _request(
    connection: DataConnection, object_id: str | None, method: str, *arguments: Any
) -> Any:
    """Send a request as `multiprocessing.managers` does, and return its result.

    After an interruption between request and answer, as by a signal's handler, the next request
    must not get that answer: the connection ends.
    """
    try:
        connection.send((object_id, method, arguments, {}))
        kind, result = connection.recv()
    except BaseException:
        connection.close()
        raise
    if kind != "#RETURN":
        raise SharedError(f"the process that keeps shared state failed: {result}")
    return result

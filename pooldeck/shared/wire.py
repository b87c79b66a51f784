"""The wire between workers and the process that keeps shared state: a manager's messages, as data.

`multiprocessing.managers` pickles its messages unless it is given another serializer, as it is for
XML-RPC. This one is msgpack: neither side can be made to load a class. How an operation ended is
data as well, an answer or an error of `pooldeck.shared.errors`.
"""

from collections.abc import Callable
from multiprocessing.connection import Connection, Listener
from typing import Any, Final

import msgspec

from pooldeck.shared.errors import CODES, SharedError

SERIALIZER: Final = "pooldeck-data"
STATE: Final = "state"
"""What the one object of the manager is called."""

_NAMES: Final = {error: code for code, error in CODES.items()}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class DataConnection:
    """A connection that sends and receives plain data, over one that carries bytes."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self.send_bytes = connection.send_bytes
        self.recv_bytes = connection.recv_bytes
        self.close = connection.close

    @property
    def is_closed(self) -> bool:
        return self._connection.closed

    def send(self, message: Any) -> None:
        self._connection.send_bytes(_encode(message))

    def recv(self) -> Any:
        return _decode(self._connection.recv_bytes())


class DataListener(Listener):
    """Accepts connections that send and receive plain data."""

    def accept(self) -> Any:
        return DataConnection(super().accept())


def run_operation(operation: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """Call an operation; return "ok" and its answer, or the code and the text of its error."""
    try:
        return "ok", operation(*arguments)
    except (SharedError, LookupError) as error:
        return _NAMES.get(type(error), "value"), str(error)


def unwrap(answer: tuple[str, Any]) -> Any:
    """Return what `run_operation` packed, or raise the error with which the operation ended."""
    code, value = answer
    if code == "ok":
        return value
    raise CODES[code](value)

"""How tasks end, as a watch tells it, and what their futures become by it."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck.client.exceptions import TaskFailure, exception_of
from pooldeck.client.future import RemoteFuture

_SUCCEEDED: Final = "succeeded"
_CANCELLED: Final = "cancelled"
_LOST: Final = "lost"
FINAL: Final = frozenset({_SUCCEEDED, _CANCELLED, _LOST, "failed"})
"""The states that a task does not leave by itself."""


class End(Struct, frozen=True, gc=False):
    """How a task ended. Where that is too large to tell, it has to be fetched."""

    id: str
    state: str
    result: Any = None
    error: TaskFailure | None = None
    fetch: bool = False


class Told(Struct, frozen=True):
    """A line of a watch: what it has to say, if anything."""

    watch: str | None = None
    ends: list[End] = []
    unknown: list[str] = []
    over: str | None = None


read_told = msgspec.json.Decoder(Told).decode
read_end = msgspec.json.Decoder(End).decode


def settle(future: RemoteFuture[Any], end: End) -> None:
    """Let a future become what its task has become."""
    if end.state == _SUCCEEDED:
        future.end_with(end.result)
    elif end.state == _CANCELLED:
        future.end_cancelled()
    else:
        future.end_failed(exception_of(end.error, is_lost=end.state == _LOST))

"""Failures of a function that was moved to another pool, and which of them may be due to that."""

from typing import Final

from msgspec import Struct

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.clock import HOUR

TRIAL: Final = 24 * HOUR
"""Microseconds for which a move is on trial, from the first run in pools of that kind."""

COUNTED: Final = frozenset(
    {ErrorKind.EXCEPTION, ErrorKind.TIMEOUT, ErrorKind.CRASHED, ErrorKind.BAD_RESULT}
)
"""The kinds of errors that a pool can bring about; others come from callers, or from outside."""


class Failure(Struct, frozen=True):
    """A failed attempt of a function: of which task, and of which group of errors."""

    function: str
    task: str
    kind: str
    group: str

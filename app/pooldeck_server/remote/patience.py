"""Waiting for a server that is away for a moment, as it is while it is started anew."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.server import RefusedError, ServerError

PATIENCE: Final = 60.0
"""Seconds that a server may be away."""

NO_ROOM: Final = frozenset({429, 503})
"""Statuses of a server that wants to be asked again later."""

_PAUSE: Final = 0.5  # seconds between two attempts
_T = TypeVar("_T")


def is_worth_waiting(error: ServerError) -> bool:
    """Tell whether the same request may be answered in a while."""
    return not isinstance(error, RefusedError) or error.status in NO_ROOM


def patiently(output: Output, ask: Callable[[], _T]) -> _T:
    """Return what a server answers, also if it is away meanwhile; that is said once.

    Raises:
        ServerError: If it refuses, or is away for too long.
    """
    try:
        return ask()
    except ServerError as error:
        if not is_worth_waiting(error):
            raise
        output.note(f"waiting: {error}")
    until = time.monotonic() + PATIENCE
    while True:
        time.sleep(_PAUSE)
        try:
            return ask()
        except ServerError as error:
            if not is_worth_waiting(error) or time.monotonic() > until:
                raise

"""Signals to a worker that the server has not sent: meant for this worker, or for the whole server?

A service manager that stops a service signals its processes one by one, and a terminal that is
closed does the same. A worker may get its signal a moment before the server gets its own, so that
only time tells.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from pooldeck.end_signals import END_SIGNALS

_MOMENT: Final = 1.0  # seconds between a signal to a worker and the same to the server, at most
_LOOK: Final = 0.05


class SignalPipe(asyncio.Protocol):
    """The second pipe, on which a worker's process sends the numbers of signals that it got."""

    def __init__(self, signalled: Callable[[int], None]) -> None:
        self._signalled = signalled

    def data_received(self, data: bytes) -> None:
        """Pass on the signals that ask to end; Python sends the numbers of all that it handles."""
        for number in END_SIGNALS.intersection(data):
            self._signalled(number)


async def are_for_all(is_ending: Callable[[], bool]) -> bool:
    """Tell of signals that have just come whether they are for all: the server is ending as well.

    It is waited for a moment for that.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + _MOMENT
    while not is_ending():
        if loop.time() >= until:
            return False
        await asyncio.sleep(_LOOK)
    return True

"""Which signals hurry the end of the server, and which are one request."""

import asyncio
import signal

from pooldeck_server.runtime.lifecycle.ending import Ending

GRACE = 600.0
LATER = 0.3  # seconds after which a signal is a request of its own


async def test_what_comes_within_a_moment_is_one_request_and_what_comes_later_hurries() -> None:
    ending = Ending(GRACE)
    for _ in range(3):
        ending.on_signal(signal.SIGTERM)
    assert (ending.begun.is_set(), ending.grace_over.is_set()) == (True, False)
    await asyncio.sleep(LATER)
    ending.on_signal(signal.SIGINT)
    assert ending.grace_over.is_set()


async def test_a_signal_after_that_of_a_closed_terminal_hurries_nothing_and_the_next_does() -> None:
    ending = Ending(GRACE)
    ending.on_signal(signal.SIGHUP)
    await asyncio.sleep(LATER)
    ending.on_signal(signal.SIGTERM)
    ending.on_signal(signal.SIGHUP)
    assert (ending.begun.is_set(), ending.grace_over.is_set()) == (True, False)
    await asyncio.sleep(LATER)
    ending.on_signal(signal.SIGTERM)
    assert ending.grace_over.is_set()

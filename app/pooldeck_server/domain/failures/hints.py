"""Errors whose text is a riddle, recognised: what is opened in one place and used in another.

A connection belongs to the thread and the process that opened it. Who uses it elsewhere meets an
error of the driver, of TLS or of asyncio, none of which says so.
"""

import re
from enum import StrEnum
from typing import Final

from pooldeck.outcome import Error


class Hint(StrEnum):
    """What probably went wrong."""

    OTHER_THREAD = "other_thread"  # opened in one thread, used in another
    SHARED_CONNECTION = "shared_connection"  # two threads or processes speak on one connection
    OTHER_LOOP = "other_loop"  # made in one event loop, used in another
    CANNOT_TRAVEL = "cannot_travel"  # a live object was to be sent to another process


_SIGNS: Final = {
    Hint.OTHER_THREAD: (
        r"SQLite objects created in a thread can only be used in that same thread",
    ),
    Hint.SHARED_CONNECTION: (
        r"decryption failed or bad record mac",
        r"lost synchronization with server",
        r"message type 0x[0-9a-f]+ arrived from server while idle",
        r"packet sequence number wrong",
        r"commands out of sync",
        r"another (operation|command) is (already )?in progress",
    ),
    Hint.OTHER_LOOP: (
        r"attached to a different loop",
        r"bound to a different event loop",
        r"^Event loop is closed$",
    ),
    Hint.CANNOT_TRAVEL: (r"cannot pickle '[^']+' object",),
}
_PATTERNS: Final = {
    hint: re.compile("|".join(signs), re.IGNORECASE) for hint, signs in _SIGNS.items()
}


def hint_for(error: Error) -> Hint | None:
    """Return what probably lies behind an error, None where its own text says enough."""
    message = error.message.replace("_", " ")  # OpenSSL writes its reasons both ways
    return next((hint for hint, sign in _PATTERNS.items() if sign.search(message)), None)

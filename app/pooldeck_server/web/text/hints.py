"""Hints at what lies behind an error, in the words of the reader's language."""

from typing import Final

from pooldeck.outcome import Error
from pooldeck_server.domain.failures.hints import Hint, hint_for
from pooldeck_server.web.text.i18n import _, later

_WORDS: Final = {
    Hint.OTHER_THREAD: later(
        "The connection was opened in one thread, at the import of a module for example, and used "
        "in another. Each thread needs its own: @pooldeck.resource above the function that opens "
        "it makes one per thread, at first use."
    ),
    Hint.SHARED_CONNECTION: later(
        "Two threads or processes probably spoke on one connection at the same time: it was opened "
        "before a fork, at the import of a module, or is shared by threads without a lock. "
        "@pooldeck.resource above the function that opens it makes one per thread, and a new one "
        "after a fork."
    ),
    Hint.OTHER_LOOP: later(
        "Each call of an async function has an event loop of its own. What was made in another "
        "one, at the import of a module for example, cannot be used in it: make it inside the "
        "function, with async with."
    ),
    Hint.CANNOT_TRAVEL: later(
        "Connections, locks and open files cannot be sent to another process. Send what is needed "
        "to open one, and let @pooldeck.resource open it there."
    ),
}


def hint_words(error: Error) -> str | None:
    """Return what probably lies behind an error, None where its own text says enough."""
    hint = hint_for(error)
    return None if hint is None else _(_WORDS[hint])

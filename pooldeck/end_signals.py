"""The signals by which people, terminals and service managers ask a program to end.

They may reach all processes under a server at once, as systemd sends them by default. Only the
server acts on them then; `pooldeck.worker.end_signals` says how its workers take them.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

END_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@contextmanager
def withheld() -> Iterator[None]:
    """Withhold these signals from this thread, and from a process that is started meanwhile.

    That process takes what came when it is able to, rather than being ended by it.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def admit() -> None:
    """Let these signals in, those that came while they were withheld at once."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)

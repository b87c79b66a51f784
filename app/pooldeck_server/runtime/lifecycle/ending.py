"""How the server ends: when it was told to, how long what runs may go on, when nothing runs more.

Whoever takes the signals says `begin`, and for a second one `hurry`; whoever ends the pools waits
for these moments and sets `finished`, and whoever answers requests does so until then.
"""

import asyncio


class Ending:
    """The end of the server: from the first sign of it, what runs may go on for `grace` seconds."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self.begun = asyncio.Event()  # the server was told to end
        self.grace_over = asyncio.Event()  # what runs is waited for no more
        self.finished = asyncio.Event()  # nothing runs any more

    def begin(self) -> None:
        """Begin to end; from the first time on the grace period runs."""
        if not self.begun.is_set():
            self.begun.set()
            asyncio.get_running_loop().call_later(self._grace, self.grace_over.set)

    def hurry(self) -> None:
        self.begin()
        self.grace_over.set()

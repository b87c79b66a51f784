"""How the server ends: when it was told to, how long what runs may go on, when nothing runs more.

Whoever takes the signals says `begin`, and for a second one `hurry`; whoever ends the pools waits
for these moments and sets `finished`, and whoever answers requests does so until then.
"""

import asyncio


class Ending:
    """The end of the server: from the first sign of it, what runs may go on for `grace` seconds.

    Attributes:
        begun: Set when the server was told to end.
        grace_over: Set when nothing that runs is waited for any more.
        finished: Set when nothing runs any more.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self.begun = asyncio.Event()
        self.grace_over = asyncio.Event()
        self.finished = asyncio.Event()

    def begin(self) -> None:
        """Begin to end; from the first time on the grace period runs."""
        if not self.begun.is_set():
            self.begun.set()
            asyncio.get_running_loop().call_later(self._grace, self.grace_over.set)

    def hurry(self) -> None:
        self.begin()
        self.grace_over.set()

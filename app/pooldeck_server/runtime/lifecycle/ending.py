"""The end of the server: what signals do, how long what runs may go on, when nothing runs more.

The HTTP server hands each SIGTERM and SIGINT to `on_signal`; whoever ends the pools waits for the
moments and sets `finished`, and requests are answered until then.
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

    def on_signal(self) -> None:
        """Take SIGTERM or SIGINT: the first one begins a good end, a further one hurries it."""
        if self.begun.is_set():
            self.hurry()
        else:
            self.begin()

    def begin(self) -> None:
        """Begin to end; from the first time on the grace period runs."""
        if not self.begun.is_set():
            self.begun.set()
            asyncio.get_running_loop().call_later(self._grace, self.grace_over.set)

    def hurry(self) -> None:
        """End without waiting for what runs."""
        self.begin()
        self.grace_over.set()

"""The end of the server: what signals do, how long what runs may go on, when nothing runs more.

The HTTP server hands each SIGTERM and SIGINT to `on_signal`; whoever ends the pools waits for the
moments and sets `finished`, and requests are answered until then.
"""

import asyncio


class Ending:
    """The end of the server: from the first sign of it, what runs may go on for `grace` seconds."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self.begun = asyncio.Event()  # the server was told to end
        self.grace_over = asyncio.Event()  # what runs is waited for no more
        self.finished = asyncio.Event()  # nothing runs any more

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
        self.begin()
        self.grace_over.set()

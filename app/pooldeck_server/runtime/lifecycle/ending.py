"""How the server ends: when it was told to, how long what runs may go on, when nothing runs more.

Whoever takes the signals says `begin`, and for a second one `hurry`; whoever ends the pools waits
for these moments and says `finish`, and whoever answers requests does so until then.
"""

import asyncio


class Ending:
    """The end of the server: from the first sign of it, what runs may go on for `grace` seconds."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._begun = asyncio.Event()
        self._grace_over = asyncio.Event()
        self._finished = asyncio.Event()

    @property
    def is_begun(self) -> bool:
        """Tell whether the server was told to end."""
        return self._begun.is_set()

    def begin(self) -> None:
        """Begin to end; from the first time on the grace period runs."""
        if not self.is_begun:
            self._begun.set()
            asyncio.get_running_loop().call_later(self._grace, self._grace_over.set)

    def hurry(self) -> None:
        """End without waiting for what runs."""
        self.begin()
        self._grace_over.set()

    async def begun(self) -> None:
        """Return when the server was told to end."""
        await self._begun.wait()

    async def grace_over(self) -> None:
        """Return when nothing that runs is waited for any more."""
        await self._grace_over.wait()

    def finish(self) -> None:
        """Note that nothing runs any more."""
        self._finished.set()

    async def finished(self) -> None:
        """Return when nothing runs any more."""
        await self._finished.wait()

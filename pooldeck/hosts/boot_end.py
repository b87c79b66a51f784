"""The end of a boot of a host: why, and how long what runs may take."""

import asyncio

from msgspec import Struct


class BootEnd(Struct, frozen=True):
    """Why a boot is over; if it `is_final`, there is to be no other."""

    why: str
    is_final: bool = False


class BootEnding:
    """Whether a boot is to end."""

    def __init__(self) -> None:
        self.end: BootEnd | None = None  # None: it is not to end yet
        self.grace = 0.0  # seconds for what runs
        self._begun = asyncio.Event()
        self._hurried = asyncio.Event()

    @property
    def is_begun(self) -> bool:
        return self.end is not None

    @property
    def why(self) -> str:
        """Return why it is to end, for people; empty if it is not."""
        return "" if self.end is None else self.end.why

    def begin(self, why: str, *, grace: float = 0.0, is_final: bool = False) -> None:
        """Begin to end; what is said a second time leaves what runs no more time.

        Args:
            why: For the log, and for whoever started the host.
            grace: Seconds for what runs.
            is_final: Whether there is to be no other boot.
        """
        if self.end is None:
            self.end = BootEnd(why, is_final)
            self.grace = grace
        else:
            self._hurried.set()
        self._begun.set()

    async def begun(self) -> None:
        """Return when it is to end."""
        await self._begun.wait()

    async def hurried(self) -> None:
        """Return when it was said a second time."""
        await self._hurried.wait()

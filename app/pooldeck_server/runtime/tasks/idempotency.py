"""Idempotency keys whose tasks are on their way to the store."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class KeysInFlight:
    """Lets one submission at a time look for a key and store its task."""

    def __init__(self) -> None:
        self._held: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def hold(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Keep others with any of the same keys waiting until the body ends."""
        wanted = set(keys)
        while busy := [self._held[key] for key in wanted & self._held.keys()]:
            await asyncio.wait(busy)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held |= dict.fromkeys(wanted, done)
        try:
            yield
        finally:
            for key in wanted:
                del self._held[key]
            done.set_result(None)

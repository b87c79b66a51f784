"""Ends what the workers of a pool leave behind, in a thread: it takes a while to look for it."""

import asyncio
from contextlib import suppress

from pooldeck.marks import sweep


class Sweeper:
    """Sweeps for one worker after the other.

    A worker's process group is ended with it. What has left the group, as a session of its own
    does, is found by the worker's mark, beside that of this run of the server.
    """

    def __init__(self, boot: str) -> None:
        self._boot = boot
        self._turn = asyncio.Lock()
        self._sweeps: set[asyncio.Task[None]] = set()

    def after(self, worker: str) -> None:
        """End what carries the mark of a worker that is gone, soon."""
        sweeping = asyncio.get_running_loop().create_task(self._sweep(worker))
        self._sweeps.add(sweeping)
        sweeping.add_done_callback(self._sweeps.discard)

    async def _sweep(self, worker: str) -> None:
        # No thread of its own: this may happen while the interpreter ends, which may start no more.
        async with self._turn:
            with suppress(OSError):  # no file descriptors are left: the keeper ends it at last
                await asyncio.to_thread(sweep, [self._boot], worker)

    async def finish(self) -> None:
        await asyncio.gather(*self._sweeps)

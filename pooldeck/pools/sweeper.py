"""Ends what the workers of a pool leave behind, in a thread: it takes a while to look for it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pooldeck.marks import sweep


class Sweeper:
    """Sweeps for one worker after the other.

    A worker's process group is ended with it. What has left the group, as a session of its own
    does, is found by the worker's mark, beside that of this run of the server.
    """

    def __init__(self, pool: str, boot: str) -> None:
        self._boot = boot
        self._executor = ThreadPoolExecutor(1, f"sweep-{pool}")
        self._sweeps: set[asyncio.Future[None]] = set()

    def after(self, worker: str) -> None:
        """End what carries the mark of a worker that is gone, soon."""
        sweeping = asyncio.get_running_loop().run_in_executor(self._executor, self._sweep, worker)
        self._sweeps.add(sweeping)
        sweeping.add_done_callback(self._sweeps.discard)

    def _sweep(self, worker: str) -> None:
        with suppress(OSError):  # no file descriptors are left: the keeper ends it at last
            sweep([self._boot], worker)

    async def finish(self) -> None:
        await asyncio.gather(*self._sweeps)
        self._executor.shutdown()

"""Looks after workers that are there and can do nothing: stopped, or not themselves any more.

A worker that merely holds the GIL shows none of these signs, nor one that a debugger holds, nor
what happens to all at once, as where the machine sleeps: then this one does not look either. A
sign has to be there at several looks: whoever lets everything go on begins somewhere.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pooldeck.pools import process_signs as signs
from pooldeck.pools.roster import Roster
from pooldeck.pools.worker import Worker

_PAUSE: Final = 1.0  # seconds between two looks
_LOOKS: Final = 3  # in a row, that find it so
_STOOD_STILL: Final = "stood still, stopped by a signal"
_LOST_MAIN_THREAD: Final = "lost its main thread"
_BECAME_ANOTHER: Final = "became another program"


@dataclass(eq=False)
class Vitals:
    """Looks after the workers of one pool, and has those ended that are past helping."""

    staff: Roster
    _found: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)
    _watch: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        self._watch = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            self.look()

    def look(self) -> None:
        """Look at each worker once."""
        workers = [one for one in self.staff.workers.values() if one.pid and one.verdict is None]
        found: Counter[tuple[str, str]] = Counter()
        for worker in workers:
            for sign in self._signs(worker):
                found[worker.id, sign] = self._found[worker.id, sign] + 1
                if found[worker.id, sign] == _LOOKS:
                    self.staff.condemn(worker, sign, signs.program_name(worker.pid))
        self._found = found

    def _signs(self, worker: Worker) -> Iterator[str]:
        pid = worker.pid
        state = signs.shown_state(pid)
        if state == signs.STOPPED:
            yield _STOOD_STILL
        if state == signs.NO_MAIN_THREAD:
            yield _LOST_MAIN_THREAD
        if worker.program is not None and signs.program(pid) not in {worker.program, None}:
            yield _BECAME_ANOTHER

"""Gives claims back to the queue: of tasks that no worker has begun, and that none will soon.

A claim that runs ahead of a free slot is for the next moment. Where the calls before it take longer
than those of their functions did before, that moment passes; then all that is claimed and waits
queues again as it did, and may be cancelled, held or run elsewhere like whatever else waits. While
such calls keep the slots, `RunningTasks.held` says so, and nothing is claimed ahead for these: so
what was given back is claimed again for a slot that is free, and not before.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.tasks.changes import Claim
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.claimed import Claimed
from pooldeck_server.runtime.tasks.prefetch import LONGEST_WAIT, PATIENCE, Prefetch
from pooldeck_server.store import records

_log = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 0.5


@dataclass(kw_only=True, eq=False)
class GiveBack:
    """Of one pool's claims."""

    pool: str
    claimed: Claimed
    prefetch: Prefetch
    recorder: Recorder
    clock: Clock
    slots: Callable[[], int]  # gives how many may be given tasks that are claimed ahead
    offer: Callable[[QueuedTask], None]  # given each task that queues again
    take_back: Callable[[Sequence[QueuedTask]], None]  # given those that stay claimed after all
    on_queued: Callable[[], None]  # told that tasks queue again
    _works: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)
    _under_way: dict[int, asyncio.Task[None]] = field(init=False, default_factory=dict)
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)
    _is_finished: bool = field(init=False, default=False)

    def watch(self) -> None:
        """Look in a moment whether what is claimed by now still waits."""
        if self._timer is None and self.claimed.first is not None and not self._is_finished:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._look)

    def _look(self) -> None:
        self._timer = None
        is_turning = self.slots() > 0
        patience = max(LONGEST_WAIT, 2 * self.prefetch.most(1)) if is_turning else PATIENCE
        waited = self.claimed.longest_wait(self.clock.monotonic())
        if waited >= patience / 2:  # claim less from now on, before what is claimed goes back
            self.prefetch.cut()
        if waited >= patience:
            self.give_back_all()
        self.watch()

    def give_back_all(self) -> None:
        """Give back whatever is claimed and waits here."""
        self.give_back(self.claimed.take_all())

    def give_back(self, tasks: Sequence[QueuedTask]) -> None:
        """Give back the claims of tasks that have been taken out from among the claimed ones."""
        if tasks:
            work = self._works.start(self._release(tasks))
            self._under_way.update((task.seq, work) for task in tasks)

    @property
    def seqs(self) -> Collection[int]:
        """Return the tasks whose claim is just being given back."""
        return self._under_way.keys()

    async def settled(self, seqs: Collection[int]) -> None:
        """Return when none of these is on its way: it queues, or is claimed as it was."""
        for work in {self._under_way[seq] for seq in seqs if seq in self._under_way}:
            await asyncio.shield(work)

    async def finish(self) -> None:
        """Give back what is claimed, and wait for what is under way."""
        self._is_finished = True
        if self._timer is not None:
            self._timer.cancel()
        await self._works.finish()
        self.give_back_all()
        await self._works.finish()

    async def _release(self, tasks: Sequence[QueuedTask]) -> None:
        """Take back claims of tasks that no worker has; they queue as before.

        If it cannot be written they stay claimed, and are tried again or handed over later.
        """
        claims = [Claim(task.seq, task.attempt + 1) for task in tasks]
        try:
            await self.recorder.perform(lambda tx: records.release(tx, claims))
        except PooldeckError as error:
            _log.warning(
                "%d claims could not be taken back: %s",
                *(len(claims), error),
                extra=about(pool=self.pool),
            )
            await asyncio.sleep(_RETRY_SECONDS)
            self._forget(tasks)
            self.take_back(tasks)
        else:
            self._forget(tasks)
            for task in tasks:
                self.offer(task)
            self.on_queued()

    def _forget(self, tasks: Sequence[QueuedTask]) -> None:
        for task in tasks:
            self._under_way.pop(task.seq, None)

"""Brings tasks to their queues that the store has queued anew: due, run again, retried by hand."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Requeue:
    """Follows moves whose tasks nobody in the server holds."""

    reader: Reader
    queues: Mapping[str, Dispatcher]
    scheduler: Scheduler
    _readings: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        """Bring back what waits again; a new task is brought by whoever stored it."""
        self.bring([move for move in moves if move.before is not None])

    def bring(self, moves: Sequence[TaskChanged]) -> None:
        """Bring those tasks to their queues whose moves let them wait for a slot, or for a time.

        What was changed is forgotten where it waited, and read again.
        """
        for move in moves:
            if move.edited_in is not None and move.edited_in in self.queues:
                self.queues[move.edited_in].forget(move.seq)
        if any(move.state is State.SCHEDULED for move in moves):
            self.scheduler.notify()
        queued = [move for move in moves if move.state is State.QUEUED]
        if queued:
            self._readings.start(self._offer(queued))

    async def _offer(self, moves: Sequence[TaskChanged]) -> None:
        pools = {move.pool for move in moves} & self.queues.keys()
        if not pools:  # as when what an earlier server left is sorted, before there are any
            return
        try:
            tasks = await self.reader.run(queries.waiting, [move.seq for move in moves])
        except PooldeckError as error:
            _log.warning("tasks that are queued again could not be read: %s", error)
            for pool in pools:
                self.queues[pool].reread()
            return
        for task in tasks:
            if task.pool in pools:
                self.queues[task.pool].offer(task)
        for pool in pools:
            self.queues[pool].pump()

    async def stop(self) -> None:
        await self._readings.finish()

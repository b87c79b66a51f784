"""Keeps the backlog of a pool supplied: what does not fit into memory is read again from the store.

A read takes a while, and tasks go on arriving meanwhile: those that are offered in vain may be
missing in what it brings, and are remembered by the best of their orders.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.tasks.backlog import Backlog
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 0.5
_BEFORE_ALL: Final = (-1000, 0)  # an order that comes before every task's
_AFTER_ALL: Final = (1000, 0)


@dataclass(kw_only=True, eq=False)
class Refill:
    """Reads the best of one pool's queue."""

    pool: str
    backlog: Backlog
    reader: Reader
    most: int  # how many tasks to read at once
    in_hand: Callable[[], set[int]]  # gives the tasks that left the backlog, queued or not
    left_out: Callable[[], Iterable[int]]  # gives the tasks that are not to be read
    on_supplied: Callable[[], None]  # told when a read has ended, whatever it brought
    _is_reading: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._missed = _AFTER_ALL  # the best order that was offered in vain during a read

    @property
    def is_due(self) -> bool:
        return self.backlog.runs_low and not self._is_reading

    @property
    def is_exhausted(self) -> bool:
        return self.backlog.is_exhausted and not self._is_reading

    def offer(self, task: QueuedTask) -> None:
        """Take a task that is stored as queued, into memory if it belongs there."""
        if not self.backlog.offer(task) and self._is_reading:
            self._missed = min(self._missed, task.order)

    def note_unseen(self) -> None:
        """Note that tasks became queued in the store that were not offered here."""
        self.backlog.mark_incomplete(_BEFORE_ALL)
        if self._is_reading:
            self._missed = _BEFORE_ALL

    def refill(self) -> Coroutine[Any, Any, None]:
        """Return the work of reading the best of the queue, which counts as begun at once."""
        self._is_reading = True
        self._missed = _AFTER_ALL
        return self._read()

    async def _read(self) -> None:
        try:
            without = frozenset(self.left_out())
            front = await self.reader.run(queries.queued, self.pool, self.most, without=without)
        except PooldeckError as error:
            _log.warning(
                "the queue of pool %s could not be read, and is tried again: %s",
                self.pool,
                error,
                extra=about(pool=self.pool),
            )
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            in_hand = self.in_hand()
            fresh = [task for task in front.tasks if task.seq not in in_hand]
            self.backlog.refill(fresh, more=front.has_more)
            if front.has_more:  # also where all that was read is being claimed by now
                self.backlog.mark_incomplete(front.tasks[-1].order)
            if self._missed < _AFTER_ALL:
                self.backlog.mark_incomplete(self._missed)
        self._is_reading = False
        self.on_supplied()

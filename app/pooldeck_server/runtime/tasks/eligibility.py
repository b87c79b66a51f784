"""Which workers of one pool can run a task: by their code, and by what their machines have.

A task that none can run is unschedulable: it waits apart for other code or other machines.
"""

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass, field

from pooldeck.pools.port import PoolPort
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.tasks.needs import lack_words, needs_of
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.resources import Resources
from pooldeck_server.runtime.tasks.unschedulable import Unschedulable

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Eligibility:
    """Of one pool's workers."""

    pool: str
    functions: Functions
    resources: Resources
    unschedulable: Unschedulable = field(init=False, default_factory=Unschedulable)
    _sure_after: float = field(init=False)

    def __post_init__(self) -> None:
        # Tasks with larger numbers are taken by every worker: they were checked against its code.
        self._sure_after = self.functions.sure_after(self.pool)

    @property
    def is_mixed(self) -> bool:
        """Tell whether the workers have different code."""
        return self._sure_after == math.inf

    def by_code(self, task: QueuedTask) -> Collection[str] | None:
        """Return the workers whose code takes a task; None for all."""
        return self.functions.takers(self.pool, task) if task.seq <= self._sure_after else None

    def to_claim(self, task: QueuedTask) -> Collection[str] | None:
        """Return the workers that can run a task, None for all; note one that none can run.

        What they are to have for it, if anything, is then held for it.
        """
        takers = self.by_code(task)
        if takers is not None and not takers:
            self._note_unschedulable(task)
            return takers
        if task.options is None or not (needs := needs_of(task)):
            return takers
        if not self.resources.lets(needs):
            self._note_unschedulable(task, lack_words(needs, self.resources.has.values()))
            return ()
        machine = self.resources.grant(task, needs, takers)
        return () if machine is None else self.resources.workers_on(machine, takers)

    def _note_unschedulable(self, task: QueuedTask, unmet: str | None = None) -> None:
        if self.unschedulable.add(task, unmet):
            _log.warning(
                "tasks of %s wait in pool %s: %s. They run when a worker can run them; or cancel "
                "them",
                task.function,
                self.pool,
                self.obstacle(task.function),
                extra=about(pool=self.pool, function=task.function, task=task.id),
            )

    def obstacle(self, function: str) -> str:
        """Say why no worker can run the tasks of a function that are unschedulable."""
        unmet = self.unschedulable.unmet(function)
        return unmet or self.functions.obstacle(self.pool, function)

    def forget(self, seq: int) -> None:
        """Note that a task does not wait apart any more."""
        self.unschedulable.discard(seq)
        self.resources.parked.discard(seq)

    def look_again(self, pool: PoolPort) -> bool:
        """Take the workers that there are now.

        Returns:
            Whether tasks may be run that were unschedulable; these are to be read again.
        """
        is_due = False
        if self.functions.note_workers(self.pool, pool.staffed, pool.ready, pool.present):
            self._sure_after = self.functions.sure_after(self.pool)
            is_due = True
        if self.resources.look_again() and self.unschedulable.are_unmet:
            is_due = True
        if is_due:
            self.unschedulable.clear()
        return is_due

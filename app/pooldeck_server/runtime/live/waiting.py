"""Why tasks wait, at this moment: asked of those who know, from the server down to the queue.

It owns nothing and costs no read of the store: whoever asks about one task brings what the store
knows of it (`queries.wait_facts`), lists go without its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from pooldeck.pools.model import PoolState
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.tasks.needs import lacks, needs_of
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import (
    Help,
    QueuePlace,
    TaskWait,
    WaitFacts,
    WaitReason,
)
from pooldeck_server.runtime.live.recent import RecentMinutes
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.runtime.tasks.server_drain import ServerDrain

_HALTED: Final = {
    PoolState.PAUSED: (WaitReason.PAUSED, Help.RESUME_POOL),
    PoolState.DRAINING: (WaitReason.DRAINING, Help.RESUME_POOL),
    PoolState.STOPPED: (WaitReason.STOPPED, Help.RESUME_POOL),
    PoolState.BROKEN: (WaitReason.BROKEN, Help.RESTART_POOL),
}
_HAS_A_PLACE: Final = frozenset(
    {
        *(reason for reason, _ in _HALTED.values()),
        WaitReason.SERVER_DRAIN,
        WaitReason.RESTORED,
        WaitReason.STARTING,
        WaitReason.NO_HOST,
        WaitReason.FULL,
        WaitReason.LINE,
    }
)
"""The reasons that hold up a whole queue, or none: a place in it then means something."""

_MOVES: Final = frozenset({WaitReason.FULL, WaitReason.LINE, WaitReason.CLAIMED})


@dataclass(kw_only=True, eq=False)
class WaitingReasons:
    """Says why tasks wait."""

    clock: Clock
    queues: Mapping[str, Dispatcher]
    holds: Holds
    functions: Functions
    durations: RecentDurations
    recent: RecentMinutes
    drain: ServerDrain
    restored: Restored

    def of(self, task: StoredTask, facts: WaitFacts | None = None) -> TaskWait | None:
        """Return why a task waits; None if it does not.

        Args:
            task: As it is stored.
            facts: What the store knows of it beside; without them its place and the tasks that it
                comes after are left out.
        """
        if task.state is State.SCHEDULED:
            return self._scheduled(task, facts or WaitFacts())
        if task.state is not State.QUEUED:
            return None
        queue = self.queues.get(task.pool)
        found = self._queued(task, queue)
        if facts is None or queue is None:
            return found
        place = facts.place if found.reason in _HAS_A_PLACE else None
        seconds = self._until_start(queue, place) if found.reason in _MOVES else None
        return replace(found, place=place, seconds=seconds)

    def of_all(self, tasks: Iterable[StoredTask]) -> dict[str, TaskWait]:
        """Return why those tasks of a list wait that do, by their ids."""
        found = ((task.id, self.of(task)) for task in tasks)
        return {task_id: waiting for task_id, waiting in found if waiting is not None}

    # Not queued yet.

    def _scheduled(self, task: StoredTask, facts: WaitFacts) -> TaskWait:
        if task.run_at is None:
            link = task.dependencies
            return TaskWait(
                WaitReason.TASKS,
                task.id,
                task.pool,
                task.function,
                since=task.created_at,
                needs=facts.needs or (link.needs if link else 0),
                tasks=facts.tasks,
                help=Help.SEE_TASKS if facts.tasks else None,
            )
        return TaskWait(
            WaitReason.RETRY if task.reruns else WaitReason.TIME,
            task.id,
            task.pool,
            task.function,
            until=task.run_at,
            attempt=task.attempt,
            seconds=max(0.0, (task.run_at - self.clock.now()) / 1_000_000),
            help=Help.RUN_NOW,
        )

    # Queued.

    def _queued(self, task: StoredTask, queue: Dispatcher | None) -> TaskWait:
        """Return what holds a queued task up, from the server down to the queue of its pool."""
        waiting = TaskWait(WaitReason.LINE, task.id, task.pool, task.function)
        found = self._by_server(waiting)
        if found is None and queue is None:
            return replace(waiting, reason=WaitReason.NO_POOL)
        if found is None and queue is not None:
            found = (
                self._by_function(waiting)
                or self._by_pool(waiting, queue, task)
                or _by_slots(waiting, queue, task)
            )
        return found or waiting

    def _by_server(self, waiting: TaskWait) -> TaskWait | None:
        if self.restored.waits_for_a_word:
            return replace(waiting, reason=WaitReason.RESTORED, help=Help.SETTLE_RESTORED)
        if self.drain.holds_queue and (order := self.drain.order):
            return replace(
                waiting,
                reason=WaitReason.SERVER_DRAIN,
                since=order.since,
                by=order.by,
                why=order.reason,
                help=Help.RESUME_SERVER,
            )
        return None

    def _by_function(self, waiting: TaskWait) -> TaskWait | None:
        hold = self.holds.get(waiting.function)
        if hold is None:
            return None
        return replace(
            waiting,
            reason=WaitReason.HOLD,
            since=hold.since,
            why=hold.reason,
            help=Help.RELEASE_FUNCTION,
        )

    def _by_pool(self, waiting: TaskWait, queue: Dispatcher, task: StoredTask) -> TaskWait | None:
        needs = needs_of(task)
        if queue.pool.state in _HALTED:
            reason, best = _HALTED[queue.pool.state]
            return replace(waiting, reason=reason, help=best)
        if queue.resources.machines.are_several and not queue.resources.has:
            return replace(waiting, reason=WaitReason.NO_HOST)
        if needs and not queue.resources.lets(needs):
            return replace(
                waiting,
                reason=WaitReason.NOBODY_HAS,
                wants=needs,
                lacks=lacks(needs, queue.resources.has.values()),
                help=Help.SEE_UNSCHEDULABLE,
            )
        if task.seq in queue.unschedulable.seqs:
            return replace(
                waiting,
                reason=WaitReason.UNSCHEDULABLE,
                why=self.functions.obstacle(waiting.pool, waiting.function),
                help=Help.SEE_UNSCHEDULABLE,
            )
        if not queue.pool.staffed:
            return replace(waiting, reason=WaitReason.STARTING)
        return None

    # How long it takes.

    def _until_start(self, queue: Dispatcher, place: QueuePlace | None) -> float | None:
        """Return about how many seconds it takes until a task starts that has this place.

        By what the pool got through in the last minute; where nothing ended, by when what runs
        usually ends. None where neither tells.
        """
        ahead = place.ahead if place is not None else 0
        recent = self.recent.of(queue.name)
        if recent is not None and recent.throughput > 0:
            return (ahead + 1) / recent.throughput
        rest = self._rest(queue)
        return rest[ahead] if ahead < len(rest) else None

    def _rest(self, queue: Dispatcher) -> Sequence[float]:
        """Return in how many seconds slots become free, the first one first.

        Nothing where one of the calls runs of which it is not known, or longer than usual.
        """
        now = self.clock.monotonic()
        rest: list[float] = []
        for worker in queue.pool.snapshot().workers:
            for run in worker.calls:
                spread = self.durations.spread(run.call.function)
                elapsed = now - (run.started_at or now)
                if spread is None or elapsed > spread.p95:
                    return ()
                rest.append(max(0.0, spread.p50 - elapsed))
        return sorted(rest)


def _by_slots(waiting: TaskWait, queue: Dispatcher, task: StoredTask) -> TaskWait:
    """Return how it stands with the slots that a task waits for."""
    waiting = replace(waiting, slots=queue.pool.size)
    if queue.has_in_hand(task.id, task.seq):
        return replace(waiting, reason=WaitReason.CLAIMED, help=Help.SEE_RUNNING)
    if task.seq in queue.resources.parked:
        return replace(
            waiting, reason=WaitReason.IN_USE, wants=needs_of(task), help=Help.SEE_RUNNING
        )
    if queue.pool.free:
        return waiting
    return replace(waiting, reason=WaitReason.FULL, help=Help.SEE_RUNNING)

"""Deletions of many tasks that go on after their requests, one at a time, until the server ends.

What is known of them is kept in memory only: the log of actions has what was deleted.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.deletions import MOST_AT_ONCE, BulkDeletion, DeletionState
from pooldeck_server.domain.errors import Conflict, Draining, NotFound, PooldeckError
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.retention.by_hand import DeletionByHand, Selection

_REMEMBERED: Final = 20
_ENDED: Final = "the server has ended"
_BY_HAND: Final = "somebody has stopped it"
_UNEXPECTED: Final = "something went wrong that nobody expected: the log of the server has it"
_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Deletions:
    """Deletes what is meant at once where it is little, else in the background."""

    by_hand: DeletionByHand
    clock: Clock
    changes: LiveChanges
    at_once: int = MOST_AT_ONCE
    _known: dict[str, BulkDeletion] = field(init=False, default_factory=dict)  # the oldest first
    _work: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)
    _stopped_by: str | None = field(init=False, default=None)  # why the present one is to stop
    _is_over: bool = field(init=False, default=False)  # the server ends

    def __post_init__(self) -> None:
        self._ids = TaskIds(self.clock)

    @property
    def latest(self) -> BulkDeletion | None:
        """The one that was begun last, if there was any since the start of the server."""
        return next(reversed(self._known.values()), None)

    def get(self, name: str) -> BulkDeletion:
        """Return what is known of a deletion.

        Raises:
            NotFound: If nothing is.
        """
        if name not in self._known:
            raise NotFound(
                f"there is no deletion {name}: the last {_REMEMBERED} are known, since the start "
                "of the server"
            )
        return self._known[name]

    async def delete(
        self, selection: Selection, reason: str | None = None
    ) -> BulkDone | BulkDeletion:
        """Delete what is meant: at once, or begin a deletion where it is more than a little.

        Raises:
            Conflict: If they are many, and there is another that has not ended.
            Draining: If the server ends meanwhile; what was deleted until then is gone.
        """
        matched = await self.by_hand.count(selection)
        if matched <= self.at_once:
            return await self.by_hand.delete_all(selection, reason)
        self._check_may_begin()
        begun = BulkDeletion(self._ids.next(), matched, self.clock.now())
        self._keep(begun)
        self._stopped_by = None
        self._work.start(self._run(begun, selection, reason))
        return begun

    async def stop_one(self, name: str) -> BulkDeletion:
        """Stop a deletion after the part that is under way, and wait for that.

        One that has ended stays as it is.

        Raises:
            NotFound: If nothing is known of it.
        """
        found = self.get(name)
        if found.state is DeletionState.RUNNING:
            now = self.clock.now()
            action = acting.action(now, Deed.STOP_DELETION, "tasks", after={"deletion": name})
            self.by_hand.recorder.record_action(action)
            self._stopped_by = _BY_HAND
            await self._work.finish()
        return self.get(name)

    async def stop(self) -> None:
        """End the one under way, since the server ends."""
        self._is_over = True
        self._stopped_by = self._stopped_by or _ENDED
        await self._work.finish()

    def _check_may_begin(self) -> None:
        if self._is_over:
            raise Draining("the server is shutting down: delete them when it is back")
        latest = self.latest
        if latest is not None and latest.state is DeletionState.RUNNING:
            raise Conflict(
                f"a deletion of {latest.matched:,} tasks is under way ({latest.id}): wait for its "
                "end, or stop it",
                deletion=latest.id,
            )

    async def _run(self, begun: BulkDeletion, selection: Selection, reason: str | None) -> None:
        def goes_on(outcomes: Mapping[str, int]) -> bool:
            self._keep(replace(self._known[begun.id], outcomes=dict(outcomes)))
            return self._stopped_by is None

        try:
            done = await self.by_hand.delete_all(selection, reason, goes_on=goes_on)
        except Draining:
            self._end(begun.id, DeletionState.STOPPED, _ENDED)
        except PooldeckError as error:
            self._end(begun.id, DeletionState.FAILED, error.detail)
        except Exception:  # noqa: BLE001 - nobody awaits it: what is known of it has to say so
            _log.exception("a deletion failed")
            self._end(begun.id, DeletionState.FAILED, _UNEXPECTED)
        else:
            self._keep(replace(self._known[begun.id], outcomes=done.outcomes))
            state = DeletionState.STOPPED if self._stopped_by else DeletionState.DONE
            self._end(begun.id, state, self._stopped_by)

    def _end(self, name: str, state: DeletionState, problem: str | None) -> None:
        ended = replace(self._known[name], state=state, problem=problem, ended_at=self.clock.now())
        self._keep(ended)
        if problem is not None:
            _log.warning(
                "a deletion did not come to its end, since %s: %d of %d tasks were looked at and "
                "%d deleted; the rest is still there, delete it again",
                problem,
                ended.looked_at,
                ended.matched,
                ended.outcomes.get("deleted", 0),
            )

    def _keep(self, deletion: BulkDeletion) -> None:
        self._known[deletion.id] = deletion
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        self.changes.mark_dirty()

"""Functions that leave their pool to the server: placed, moved, given back, and moves undone.

Measurements say where a function would be faster, not whether it works there: threads share a
working directory, signal handlers and every module, which no measurement sees. So they move only
what its owner vouches for; any other advice is shown, and a person follows it. A placement is
stored first and counts for what is submitted after that; tasks that wait stay in the queue that
they are in.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.actions import Action, Actor, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, NotFound, UnknownFunction, UnknownPool, no_pool
from pooldeck_server.domain.failures.after_moves import Failure
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import (
    Placement,
    PlacementRule,
    first_placement,
)
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_BY_RULE: Final = acting.part("placement")


@dataclass(kw_only=True, eq=False)
class Placements:
    """Where the functions are that leave their pool to the server."""

    functions: Functions
    pools: Mapping[str, PoolKind]  # the kinds of the pools, by name
    recorder: Recorder
    annotations: Annotations
    clock: Clock
    changes: LiveChanges

    async def give_back_unvouched(self) -> None:
        """Give back what measurements have moved to where its owner's word does not allow it.

        An earlier version moved functions without asking, and a word may be taken back.

        Raises:
            StorageUnavailable: If a placement cannot be forgotten.
        """
        unvouched = self.functions.catalogue.unvouched()
        for name, placement in unvouched.items():
            await self._give_back(name, placement, by=_BY_RULE)
        if unvouched:
            _log.warning(
                "given back, to start where their signatures say, since no safe_in of theirs names "
                "that kind of pool: %s",
                ", ".join(f"{name} (was in {each.pool})" for name, each in unvouched.items()),
            )

    async def place(self, name: str, pool: str | None, reason: str | None = None) -> None:
        """Place a function by hand, until it is given back; a pool of None gives it back.

        Raises:
            NotFound: If there is no such function.
            Conflict: If the function names its pool itself.
            UnknownPool: If there is no such pool.
            StorageUnavailable: If it could not be kept; it stays where it is.
        """
        function = self._function(name)
        before = function.placement
        if before is None:
            raise Conflict(
                f'{name} names the pool "{function.pool}" itself, with @task(pool=...); take that '
                "out, and it can be placed here",
                function=name,
            )
        if pool is None:
            await self._give_back(name, before, reason=reason)
            return
        if pool not in self.pools:
            raise UnknownPool(no_pool(pool, self.pools), field="/pool")
        await self._place(name, before, pool, reason)

    def _function(self, name: str) -> RegisteredFunction:
        try:
            return self.functions.catalogue.get(name)
        except UnknownFunction as error:  # in a path it is the address that does not exist
            raise NotFound(error.detail) from None

    async def move(self, name: str, before: Placement, after: Placement) -> None:
        """Follow a measurement, unless a person was quicker.

        Raises:
            StorageUnavailable: If it could not be kept; the function stays where it is.
        """
        if self._placement(name) == before:
            await self._save(name, before, after, by=_BY_RULE)
            self.annotations.annotate(
                "placed", after.pool, name, before=before.pool, verdict=after.verdict
            )
            _log.info(
                "%s is moved from %s to %s by measurements",
                *(name, before.pool, after.pool),
                extra=about(function=name, pool=after.pool),
            )

    async def undo(self, moved: Placement, failure: Failure, error: str) -> None:
        """Let a function go back to where it was before a move, unless it is elsewhere by now.

        Args:
            moved: Where it was moved to.
            failure: What is seen of it there and was not seen before.
            error: What that says.

        Raises:
            StorageUnavailable: If it could not be kept; the function stays where it is.
        """
        name = failure.function
        if self._placement(name) != moved:
            return
        spec = self.functions.catalogue.get(name).spec
        pool = moved.before if moved.before in self.pools else None
        back = Placement(
            pool or first_placement(spec, self.pools).pool,
            PlacementRule.UNDONE,
            since=self.clock.now(),
            before=moved.pool,
            moves=moved.moves,
            error=error,
            group=failure.group,
            task=failure.task,
            code=spec.code,
        )
        await self._save(name, moved, back, by=_BY_RULE, reason=error)
        self.annotations.annotate("placed", back.pool, name, before=moved.pool, undone=error)
        _log.warning(
            "%s goes back from %s to %s: task %s failed there as it never had before (%s)",
            *(name, moved.pool, back.pool, failure.task, error),
            extra=about(function=name, pool=back.pool, task=failure.task),
        )

    async def _place(self, name: str, before: Placement, pool: str, reason: str | None) -> None:
        """Keep a placement by hand, and let it count."""
        since = self.clock.now()
        placement = Placement(
            pool, PlacementRule.BY_HAND, since=since, before=before.pool, moves=before.moves
        )
        await self._save(name, before, placement, reason=reason)
        self.annotations.annotate("placed", pool, name, reason, before=before.pool)

    async def _save(
        self,
        name: str,
        before: Placement,
        placement: Placement,
        *,
        by: Actor | None = None,
        reason: str | None = None,
    ) -> None:
        action = self._action(name, before, placement.pool, by=by, reason=reason)

        def write(transaction: Transaction) -> None:
            records.save_placement(transaction, name, placement)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self._placed(name, placement)

    async def _give_back(
        self, name: str, before: Placement, *, by: Actor | None = None, reason: str | None = None
    ) -> None:
        """Forget a placement; who names its pool by now, or is not there, is not moved by that."""
        action = self._action(name, before, None, by=by, reason=reason)

        def write(transaction: Transaction) -> None:
            records.forget_placement(transaction, name)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self._placed(name, None)
        after = self._placement(name)
        if after is not None and after.pool != before.pool:
            self.annotations.annotate(
                "placed", after.pool, name, before=before.pool, given_back=before.rule
            )

    def _action(
        self,
        name: str,
        before: Placement,
        pool: str | None,
        *,
        by: Actor | None,
        reason: str | None,
    ) -> Action:
        """Return what is written of a placement; a pool of None leaves it to the server."""
        return acting.action(
            self.clock.now(),
            Deed.PLACE,
            "function",
            name,
            before={"pool": before.pool},
            after={"pool": pool},
            reason=reason,
            by=by,
        )

    def _placement(self, name: str) -> Placement | None:
        """Return where a function is, None if it names its pool itself or is not registered."""
        try:
            return self.functions.catalogue.get(name).placement
        except UnknownFunction:
            return None

    def _placed(self, name: str, placement: Placement | None) -> None:
        self.functions.place(name, placement)
        self.changes.invalidate()

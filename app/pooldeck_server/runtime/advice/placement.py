"""Functions that leave their pool to the server: placed by hand, and given back.

Measurements move nothing. They say where a function would be faster, not whether it works there:
threads share a working directory, signal handlers and every module, which no measurement sees.
So an advice is shown, and a person follows it. A placement is stored first and counts for what is
submitted after that; tasks that wait stay in the queue that they are in.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, NotFound, UnknownFunction, UnknownPool, no_pool
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Placements:
    """Where the functions are that leave their pool to the server."""

    functions: Functions
    pools: Collection[str]  # the names of the pools
    reader: Reader
    recorder: Recorder
    annotations: Annotations
    clock: Clock
    changes: LiveChanges

    async def give_back_measured(self) -> None:
        """Give back every function that an earlier version moved by what it had measured.

        Raises:
            StorageUnavailable: If the placements cannot be read, or one cannot be forgotten.
        """
        kept = await self.reader.run(queries.placements)
        measured = {
            name: placement
            for name, placement in kept.items()
            if placement.rule is PlacementRule.MEASURED
        }
        for name, placement in measured.items():
            await self._give_back(name, placement)
        if measured:
            _log.warning(
                "measurements move no functions any more; given back, to start where their "
                "signatures say: %s",
                ", ".join(f"{name} (was in {each.pool})" for name, each in measured.items()),
            )

    async def place(self, name: str, pool: str | None) -> None:
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
            await self._give_back(name, before)
            return
        if pool not in self.pools:
            raise UnknownPool(no_pool(pool, self.pools), field="/pool")
        await self._place(name, before, pool)

    def _function(self, name: str) -> RegisteredFunction:
        try:
            return self.functions.catalogue.get(name)
        except UnknownFunction as error:  # in a path it is the address that does not exist
            raise NotFound(error.detail) from None

    async def _place(self, name: str, before: Placement, pool: str) -> None:
        """Keep a placement by hand, and let it count."""
        since = self.clock.now()
        placement = Placement(pool, PlacementRule.BY_HAND, since=since, before=before.pool)
        await self.recorder.perform(lambda tx: records.save_placement(tx, name, placement))
        self._placed(name, placement)
        self.annotations.annotate("placed", pool, name, before=before.pool)

    async def _give_back(self, name: str, before: Placement) -> None:
        """Forget a placement; who names its pool by now, or is not there, is not moved by that."""
        was = self._pool(name)
        await self.recorder.perform(lambda tx: records.forget_placement(tx, name))
        self._placed(name, None)
        pool = self._pool(name)
        if pool != was:
            self.annotations.annotate("placed", pool, name, before=was, given_back=before.rule)

    def _pool(self, name: str) -> str | None:
        """Return where a function runs, None if it is not registered."""
        try:
            return self.functions.catalogue.get(name).pool
        except UnknownFunction:
            return None

    def _placed(self, name: str, placement: Placement | None) -> None:
        self.functions.place(name, placement)
        self.changes.invalidate()

"""Groups of errors: what somebody decides about them, and which of them came back after a fix.

Failures are counted by the writer, in the transaction that records them. Whether a group that was
fixed is among them is looked up after the commit: the store knows, what is kept here is a copy.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, NotFound, PooldeckError
from pooldeck_server.domain.failures.error_groups import (
    CHANGES,
    LATELY,
    GroupChange,
    GroupReport,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_PAUSE: Final = 0.25  # seconds between two looks
_GOES_ON: Final = frozenset({State.QUEUED, State.SCHEDULED})


@dataclass(kw_only=True, eq=False)
class Errors:
    """The groups of errors."""

    recorder: Recorder
    reader: Reader
    clock: Clock
    changes: LiveChanges
    fixed: tuple[StoredErrorGroup, ...]  # or returned, as the store knows them
    _reading: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _is_outdated: bool = field(init=False, default=False)
    _refreshing: asyncio.Task[None] | None = field(init=False, default=None)

    def returned(self) -> tuple[StoredErrorGroup, ...]:
        """Return the groups that came again after a fix, until somebody decides about them."""
        return tuple(group for group in self.fixed if group.state is GroupState.RETURNED)

    async def report(self, group_id: str, hours: int = LATELY) -> GroupReport:
        """Return a group with its latest `hours`.

        Raises:
            NotFound: If there is no such group.
        """
        now = self.clock.now()
        found = await self.reader.run(queries.error_group, group_id, now, hours)
        if found is None:
            raise NotFound(f"there is no group of errors {group_id}")
        return found

    async def change(self, group_id: str, change: GroupChange) -> None:
        """Decide about a group; where that was decided before, nothing changes.

        Raises:
            NotFound: If there is no such group.
            Conflict: If the group is in a state that does not allow it.
        """
        before = (await self.report(group_id, 1)).group.state
        starts, state = CHANGES[change]
        if before is not state and before not in starts:
            allowed = ", ".join(sorted(starts))
            raise Conflict(f"{change}: the group is {before}; only {allowed} allow it")
        now = self.clock.now()
        action = acting.action(
            now,
            Deed(change),
            "error_group",
            group_id,
            before={"state": before},
            after={"state": state},
        )

        def write(transaction: Transaction) -> None:
            if records.change_error_group(transaction, group_id, change, now):
                records.act(transaction, action)

        await self.recorder.perform(write)
        await self._refresh()
        self.changes.invalidate()

    # After each commit.

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        """Look soon whether a fixed group has returned, if any of these moves may be a failure."""
        if self.fixed and any(map(_may_have_failed, moves)):
            self._is_outdated = True
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._refresh_while_outdated())

    async def stop(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    async def _refresh_while_outdated(self) -> None:
        while self._is_outdated:
            self._is_outdated = False
            try:
                await self._refresh()
            except PooldeckError as error:
                _log.warning("the groups of errors could not be read: %s", error)
                self._is_outdated = True
            await asyncio.sleep(_PAUSE)

    async def _refresh(self) -> None:
        """Read what is fixed and returned: one at a time, so that the last word is the newest."""
        async with self._reading:
            before = self.returned()
            self.fixed = tuple(await self.reader.run(queries.fixed_error_groups))
            if self.returned() != before:
                self.changes.mark_dirty()


def _may_have_failed(move: TaskChanged) -> bool:
    """Tell whether a move ended an attempt with an error, as far as it tells."""
    if move.state in {State.FAILED, State.LOST}:
        return True
    return move.state in _GOES_ON and move.before in {State.QUEUED, State.RUNNING}

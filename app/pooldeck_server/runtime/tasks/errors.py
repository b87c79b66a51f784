"""Groups of errors: what somebody decides about them, and which of them came back after a fix.

Failures are counted by the writer, in the transaction that records them. Whether a group that was
fixed is among them is looked up after the commit: the store knows, what is kept here is a copy.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, NotFound, PooldeckError
from pooldeck_server.domain.failures.error_groups import (
    CHANGES,
    GroupChange,
    GroupReport,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)
_PAUSE: Final = 0.25  # seconds between two looks
_GOES_ON: Final = frozenset({State.QUEUED, State.SCHEDULED})


class Errors:
    """The groups of errors.

    Args:
        recorder: Writes what is decided.
        reader: Reads the groups.
        clock: The server's time.
        fixed: The groups that the store knows as fixed or returned.
    """

    def __init__(
        self, recorder: Recorder, reader: Reader, clock: Clock, fixed: Iterable[StoredErrorGroup]
    ) -> None:
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._fixed = tuple(fixed)
        self._on_change: Callable[[], None] = lambda: None
        self._reading = asyncio.Lock()
        self._is_stirred = False
        self._looking: asyncio.Task[None] | None = None

    def follow(self, changed: Callable[[], None]) -> None:
        """Call `changed` when other groups than before have returned."""
        self._on_change = changed

    def returned(self) -> tuple[StoredErrorGroup, ...]:
        """Return the groups that came again after a fix, until somebody decides about them."""
        return tuple(group for group in self._fixed if group.state is GroupState.RETURNED)

    async def report(self, group_id: str, hours: int) -> GroupReport:
        """Return a group with its latest `hours`.

        Raises:
            NotFound: If there is no such group.
        """
        now = self._clock.now()
        found = await self._reader.run(queries.error_group, group_id, now, hours)
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
        now = self._clock.now()
        await self._recorder.perform(
            lambda tx: records.change_error_group(tx, group_id, change, now)
        )
        await self._look()

    # After each commit.

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        """Look soon whether a fixed group has returned, if any of these moves may be a failure."""
        if self._fixed and any(map(_may_have_failed, moves)):
            self._is_stirred = True
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look_while_stirred())

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look_while_stirred(self) -> None:
        while self._is_stirred:
            self._is_stirred = False
            try:
                await self._look()
            except PooldeckError as error:
                _log.warning("the groups of errors could not be read: %s", error)
                self._is_stirred = True
            await asyncio.sleep(_PAUSE)

    async def _look(self) -> None:
        """Read what is fixed and returned: one at a time, so that the last word is the newest."""
        async with self._reading:
            before = self.returned()
            self._fixed = tuple(await self._reader.run(queries.fixed_error_groups))
            if self.returned() != before:
                self._on_change()


def _may_have_failed(move: TaskChanged) -> bool:
    """Tell whether a move ended an attempt with an error, as far as it tells."""
    if move.state in {State.FAILED, State.LOST}:
        return True
    return move.state in _GOES_ON and move.before in {State.QUEUED, State.RUNNING}

"""Undoes a move after which its function fails as it never had before.

It owns nothing that a restart would lose: a placement says that it is a move, and the store what
failed under it. Each commit tells of failures; whether one is of a new kind is read after that.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError, UnknownFunction
from pooldeck_server.domain.failures.after_moves import COUNTED, TRIAL, Failure
from pooldeck_server.domain.failures.outside_ends import is_from_outside
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Trials:
    """The functions that were moved lately, and what fails of them."""

    functions: Functions
    kinds: Mapping[str, PoolKind]  # of the pools
    placements: Placements
    profiles: Profiles
    reader: Reader
    clock: Clock
    is_ending: Callable[[], bool]  # tells whether the server was told to end
    _judging: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)
    _judged: dict[str, tuple[Placement, set[str]]] = field(init=False, default_factory=dict)

    async def look_back(self) -> None:
        """Judge what failed while nobody could: a server may die between a failure and its look.

        Raises:
            StorageUnavailable: If what failed cannot be read.
        """
        for function in self.functions.catalogue.functions():
            name, placement = function.spec.name, function.placement
            if placement is not None and self._is_on_trial(name, placement):
                for failure in await self.reader.run(queries.failures_of_move, name, placement):
                    await self._judge(failure, placement)

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        """Judge soon what failed where its function was moved to, one failure of each group.

        What fails while the server ends may be due to that.
        """
        if self.is_ending():
            return
        for move in moves:
            if move.error_group is not None and move.error_kind in COUNTED:
                self._hear(move, Failure(move.function, move.id, move.error_kind, move.error_group))

    async def stop(self) -> None:
        await self._judging.stop()

    def _hear(self, move: TaskChanged, failure: Failure) -> None:
        placement = self._placement(move.function)
        if placement is None or not placement.is_on_trial or placement.pool != move.pool:
            return
        # Thousands may fail alike in a second: whether it was heard of is quickly known.
        if self._is_unheard(failure, placement) and self._is_on_trial(move.function, placement):
            self._judging.start(self._try_judge(failure, placement))

    def _placement(self, function: str) -> Placement | None:
        try:
            return self.functions.catalogue.get(function).placement
        except UnknownFunction:
            return None

    def _is_on_trial(self, function: str, placement: Placement) -> bool:
        """Tell whether a function was moved, and has not been there for long."""
        if not placement.is_on_trial or placement.since is None:
            return False
        profile = self.profiles.of(function).get(self.kinds[placement.pool])
        begun = max(profile.first_at, placement.since) if profile else self.clock.now()
        return self.clock.now() - begun <= TRIAL

    def _is_unheard(self, failure: Failure, placement: Placement) -> bool:
        """Tell whether no failure of this group was heard of since the move, and note this one."""
        known, groups = self._judged.get(failure.function, (None, set[str]()))
        if known != placement:
            groups = set()
            self._judged[failure.function] = placement, groups
        is_new = failure.group not in groups
        groups.add(failure.group)
        return is_new

    async def _try_judge(self, failure: Failure, placement: Placement) -> None:
        try:
            await self._judge(failure, placement)
        except PooldeckError as error:
            self._judged.pop(failure.function, None)  # the next failure is heard
            _log.warning(
                "whether %s bears its move is not known: %s",
                *(failure.function, error),
                extra=about(function=failure.function, task=failure.task),
            )

    async def _judge(self, failure: Failure, placement: Placement) -> None:
        error = await self.reader.run(queries.new_error, failure, placement)
        if error is not None and not is_from_outside(error):
            await self.placements.undo(placement, failure, error)

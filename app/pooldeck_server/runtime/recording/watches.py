"""All watches that are open: counted, bounded, and told of each commit."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.domain.errors import NotFound, TooLarge, TooManyStreams
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.watch import MANY, Watch
from pooldeck_server.store.database import Reader

MOST_WATCHED: Final = 100_000
"""Tasks that one watch may be for."""


_PART: Final = 4  # of what there may be, as a divisor, that one principal may have


@dataclass(kw_only=True, eq=False)
class Watches:
    """All that are open, each as long as somebody reads what it tells."""

    recorder: Recorder
    reader: Reader
    most: int  # watches at a time
    most_tasks: int  # that all of them may be for
    _watches: dict[str, Watch] = field(init=False, default_factory=dict)
    _is_closed: bool = field(init=False, default=False)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._watches)

    @property
    def tasks(self) -> int:
        """How many tasks are watched."""
        return sum(map(len, self._watches.values()))

    def wait_for_few(self) -> bool:
        """Tell whether a watch is for so few tasks that its reader is held up by each of them."""
        return any(0 < len(watch) < MANY for watch in self._watches.values())

    @contextmanager
    def open(
        self, principal: Principal, ids: Collection[str], *, tells_starts: bool
    ) -> Iterator[Watch]:
        """Watch tasks while the body runs.

        Raises:
            TooManyStreams: If as many watches as allowed are open, or for too many tasks.
            TooLarge: If these are more than one may be for.
        """
        if len(self._watches) >= self.most:
            raise TooManyStreams(f"{self.most} watches are open, which is the limit", retry_after=5)
        self._check_share(principal, len(ids))
        watch = Watch(principal, self.reader, tells_starts)
        self.add(watch, ids)
        self._watches[watch.id] = watch
        if self._is_closed:
            watch.end()
        try:
            yield watch
        finally:
            del self._watches[watch.id]
            watch.leave()

    def _check_share(self, principal: Principal, number: int) -> None:
        """Keep a part for all others, unless they are the owner's."""
        if principal.role is Role.ADMIN:
            return
        theirs = [each for each in self._watches.values() if each.principal == principal]
        most, most_tasks = max(1, self.most // _PART), self.most_tasks // _PART
        if len(theirs) >= most or sum(map(len, theirs)) + number > most_tasks:
            raise TooManyStreams(
                f"{principal.name} may have {most} watches, for {most_tasks:,} tasks together",
                retry_after=5,
            )

    def get(self, watch_id: str, principal: Principal) -> Watch:
        """Return a watch that a principal has opened.

        Raises:
            NotFound: If there is none of that id, or no more.
        """
        watch = self._watches.get(watch_id)
        if watch is None or watch.principal != principal:
            raise NotFound("there is no such watch any more; open a new one")
        return watch

    def of_submission(self, watch_id: str, principal: Principal, number: int) -> Watch | None:
        """Return a watch that has room for so many tasks; None if it has not, or is no more."""
        watch = self._watches.get(watch_id)
        if watch is None or watch.principal != principal:
            return None
        is_room = len(watch) + number <= MOST_WATCHED and self.tasks + number <= self.most_tasks
        return watch if is_room else None

    def add(self, watch: Watch, ids: Collection[str]) -> None:
        """Watch more tasks.

        Raises:
            TooLarge: If they are more than one watch may be for.
            TooManyStreams: If all watches together are for too many.
        """
        if len(watch) + len(ids) > MOST_WATCHED:
            raise TooLarge(
                f"a watch may be for {MOST_WATCHED:,} tasks, and these are more; open another"
            )
        if self.tasks + len(ids) > self.most_tasks:
            raise TooManyStreams(
                f"all watches together may be for {self.most_tasks:,} tasks, and these are more",
                retry_after=5,
            )
        watch.add(ids)

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        """Tell those who watch one of these tasks."""
        if not self._watches:
            return
        ended = {move.id for move in moves if move.state in FINAL}
        started = [move for move in moves if move.state is State.RUNNING]
        if ended or started:
            for watch in self._watches.values():
                watch.on_commit(ended, started)

    async def close(self, patience: float) -> None:
        """End all, within `patience` seconds after ends that are on their way to the disk."""
        self._is_closed = True
        if self.tasks:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.recorder.written()
        for watch in self._watches.values():
            watch.end()

"""The calls that one boot of a host has in hand, as the server knows them."""

import time
from collections.abc import Collection, Iterator

from msgspec import Struct

from pooldeck.hosts.wire import Gone
from pooldeck.kinds import Ending
from pooldeck.outcome import Outcome
from pooldeck.pools.listener import RunningCall
from pooldeck.protocol import Call


class Posted(Struct):
    """A call that was posted to a boot. Times are seconds of the server's monotonic clock."""

    call: Call
    posted_at: float
    is_quick: bool
    worker: str = ""
    pid: int = 0
    started_at: float | None = None
    thread: int | None = None
    is_asked: bool = False
    is_abandoned: bool = False

    def seen(self, ending: Ending | None = None) -> RunningCall:
        """Return it as others see it."""
        return RunningCall(
            *(self.call, self.worker, self.pid, self.posted_at, self.started_at, self.thread),
            *(self.is_asked, self.is_abandoned, ending),
        )

    def note(self, worker: str, pid: int, thread: int | None, ago: float | None) -> None:
        """Note where it runs, and for how long it has."""
        self.worker, self.pid, self.thread = worker, pid, thread
        if ago is not None and self.started_at is None:
            self.started_at = max(self.posted_at, time.monotonic() - ago)


class PostedCalls:
    """The calls of a boot that have not ended, the one that was posted first before all others."""

    def __init__(self) -> None:
        self._calls: dict[str, Posted] = {}
        self._abandoned: dict[tuple[str, int], Posted] = {}  # reported, and their threads go on
        self._quick = 0  # of the calls

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Posted]:
        return iter(self._calls.values())

    @property
    def are_quick(self) -> bool:
        """Tell whether each is known to be quick."""
        return self._quick == len(self._calls)

    @property
    def abandoned(self) -> Iterator[Posted]:
        """Yield those that were reported as abandoned and have not ended since."""
        return iter(self._abandoned.values())

    def get(self, task: str) -> Posted | None:
        """Return the call of a task; None if it is not here."""
        return self._calls.get(task)

    def find(self, task: str, attempt: int) -> Posted | None:
        """Return an attempt at a task; None if it is not here."""
        handed = self._calls.get(task)
        return handed if handed is not None and handed.call.attempt == attempt else None

    def add(self, call: Call, *, is_quick: bool) -> None:
        self._calls[call.task] = Posted(call, time.monotonic(), is_quick)
        self._quick += is_quick

    def drop(self, handed: Posted) -> None:
        del self._calls[handed.call.task]
        self._quick -= handed.is_quick

    def take_none_for_quick(self) -> None:
        """Note that what is here takes long after all."""
        for handed in self._calls.values():
            handed.is_quick = False
        self._quick = 0

    def abandon(self, handed: Posted) -> None:
        """Keep one in mind that was dropped as abandoned, until it ends."""
        handed.is_abandoned = True
        self._abandoned[handed.call.task, handed.call.attempt] = handed

    def pop_abandoned(self, task: str, attempt: int) -> Posted | None:
        return self._abandoned.pop((task, attempt), None)

    def keep_abandoned(self, workers: Collection[str]) -> None:
        """Forget the abandoned ones whose workers are not among some: they ended with these."""
        kept = {key: each for key, each in self._abandoned.items() if each.worker in workers}
        self._abandoned = kept

    def drop_ended(self, gone: Gone) -> list[tuple[Posted, Outcome]]:
        """Drop those of which is known how they ended, and return them with that."""
        ended = [
            (handed, end.outcome)
            for task, attempt, end in gone.ended
            if (handed := self.find(task, attempt)) is not None
        ]
        for handed, _ in ended:
            self.drop(handed)
        return ended

    def drop_not_begun(self, gone: Gone) -> list[Posted]:
        """Drop those of which is known that they have not begun, and return them."""
        if not gone.is_whole:
            return []
        cut_off = set(gone.cut_off)
        not_begun = [
            handed
            for handed in self._calls.values()
            if (handed.call.task, handed.call.attempt) not in cut_off and handed.started_at is None
        ]
        for handed in not_begun:
            self.drop(handed)
        return not_begun

"""Counts kept in memory, moved by every commit: tasks by state, ends, reruns, what ended lately."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.frames import EndsWindow
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL, State

WINDOW_SECONDS: Final = 3600
_BUCKET_SECONDS: Final = 10  # the resolution of the window
_RATE_SECONDS: Final = 10
_IN_HAND: Final = frozenset({State.QUEUED, State.RUNNING})  # queued too: claimed


class Counts:
    """How many tasks are in each state, and how many ended in the last hour and seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Of pools and functions since the start; a task that is retried by hand ends again.
        self.ends: Counter[tuple[str, str, State]] = Counter()
        self.reruns: Counter[tuple[str, str]] = Counter()  # by the server itself
        self._counts: Counter[tuple[str, State]] = Counter()
        self._ends: deque[tuple[float, Counter[State]]] = deque()
        self._seconds: deque[tuple[int, int]] = deque()  # second, ends in it

    def load(
        self, counts: Iterable[tuple[str, State, int]], ends: Iterable[tuple[float, State, int]]
    ) -> None:
        """Begin with the tasks that the store kept, and with what ended lately, oldest first.

        Ends have their moment in seconds of the monotonic clock.
        """
        for pool, state, number in counts:
            self._counts[pool, state] += number
        for moment, state, number in ends:
            self._ends.append((moment, Counter({state: number})))

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        ended: Counter[State] = Counter()
        for move in moves:
            if move.before is not None:
                self._counts[move.left_pool, move.before] -= 1
            self._counts[move.pool, move.state] += 1
            if move.state in FINAL:
                ended[move.state] += 1
                self.ends[move.pool, move.function, move.state] += 1
            elif move.edited_in is not None:
                continue
            elif move.before in _IN_HAND and move.state is not State.RUNNING:
                self.reruns[move.pool, move.function] += 1
        if ended:
            self._add_ends(ended)

    def forget(self, gone: Mapping[tuple[str, str, State], int]) -> None:
        """Take down that so many tasks of each pool, function and state were deleted."""
        for (pool, _, state), number in gone.items():
            self._counts[pool, state] -= number

    def _add_ends(self, ended: "Counter[State]") -> None:
        now = self._clock.monotonic()
        if self._ends and now - self._ends[-1][0] < _BUCKET_SECONDS:
            self._ends[-1][1].update(ended)
        else:
            self._ends.append((now, ended))
        if self._seconds and self._seconds[-1][0] == int(now):
            self._seconds[-1] = (int(now), self._seconds[-1][1] + ended.total())
        else:
            self._seconds.append((int(now), ended.total()))
        while self._seconds[0][0] < now - _RATE_SECONDS:
            self._seconds.popleft()

    def number(self, pool: str, state: State) -> int:
        return self._counts[pool, state]

    def counts(self) -> dict[State, int]:
        totals = dict.fromkeys(State, 0)
        for (_, state), number in self._counts.items():
            totals[state] += number
        return totals

    def window(self) -> EndsWindow:
        since = self._clock.monotonic() - WINDOW_SECONDS
        while self._ends and self._ends[0][0] < since:
            self._ends.popleft()
        total: Counter[State] = Counter()
        for _, ended in self._ends:
            total.update(ended)
        return EndsWindow(
            seconds=WINDOW_SECONDS,
            succeeded=total[State.SUCCEEDED],
            failed=total[State.FAILED],
            cancelled=total[State.CANCELLED],
            lost=total[State.LOST],
        )

    def throughput(self) -> float:
        """Return the ends per second over the last ten seconds."""
        since = self._clock.monotonic() - _RATE_SECONDS
        recent = (number for second, number in self._seconds if second >= since)
        return sum(recent) / _RATE_SECONDS

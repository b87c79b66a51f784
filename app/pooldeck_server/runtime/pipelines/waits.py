"""What is waited for, in memory: which ends call for a look at which tasks.

It is a hint beside the store, which alone decides. So that the end of a task that nothing comes
after costs no more than a look into a dictionary, nobody asks the store which tasks follow it.
"""

import asyncio
from collections.abc import Iterable, Sequence

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.dependencies import NeedState, Rule
from pooldeck_server.domain.tasks.states import FINAL, State


class Waits:
    """Tasks that wait for others, and those that have to be looked at now, all by number."""

    def __init__(self) -> None:
        self._followers: dict[int, dict[int, Rule]] = {}  # of those that are waited for
        self._open: dict[int, set[int]] = {}  # by who waits
        self._due: set[int] = set()
        self._changed = asyncio.Event()

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        for move in moves:
            if move.seq in self._followers and move.state in FINAL:
                self._ended(move.seq, is_good=move.state is State.SUCCEEDED)
            elif move.state is State.SCHEDULED and move.before in FINAL:
                self.add_due([move.seq])  # it was retried, and waits again

    def _ended(self, need: int, *, is_good: bool) -> None:
        for seq, rule in self._followers.pop(need).items():
            left = self._open.get(seq, set())
            left.discard(need)
            if not left or (rule is Rule.STOP and not is_good):
                self.add_due([seq])

    def add_due(self, seqs: Iterable[int]) -> None:
        self._due.update(seqs)
        if self._due:
            self._changed.set()

    def expect(self, needs: Sequence[NeedState]) -> bool:
        """Remember what one task, with all its `needs`, still waits for; return whether any is new.

        What was read may be older than the moves noted since: an end that went by in between is
        never noted again. So what is new calls for one more look, and what a later look finds
        ended is waited for no more.
        """
        seq = needs[0].seq
        left = {need.needs: need.rule for need in needs if not need.has_ended}
        is_new = not left.keys() <= self._open.get(seq, set())
        self.forget(seq)
        for need, rule in left.items():
            self._followers.setdefault(need, {})[seq] = rule
        self._open[seq] = set(left)
        return is_new

    def forget(self, seq: int) -> None:
        for need in self._open.pop(seq, ()):
            followers = self._followers.get(need, {})
            followers.pop(seq, None)
            if not followers:
                self._followers.pop(need, None)

    def followers(self, need: int) -> frozenset[int]:
        """Return who waits for a task, as far as it is known here."""
        return frozenset(self._followers.get(need, ()))

    async def due(self) -> list[int]:
        """Wait until there are tasks to look at, and return them in order."""
        await self._changed.wait()
        self._changed.clear()
        due, self._due = sorted(self._due), set()
        return due

"""Those who wait for a task's end: each has a future, which is done after the commit of the end.

What the task has become is read by the writer thread, in the transaction that ends it: its pages
are at hand there, and whoever waits need not have it read by another thread after the commit.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.store import queries
from pooldeck_server.store.transaction import Transaction

_MOST_READ: Final = 64  # in one commit: it is waited for by all whose writes it carries


class Waiters:
    """The futures of those who wait, by task."""

    def __init__(self) -> None:
        self._futures: dict[str, list[asyncio.Future[str | None]]] = {}

    def __len__(self) -> int:
        """Return how many tasks are waited for."""
        return len(self._futures)

    @contextmanager
    def waiter(self, task_id: str) -> Iterator["asyncio.Future[str | None]"]:
        """Give a future that is done when the end of a task is announced.

        Its result is the text of the task, for `decoded` of the store's `one_task`, or None if it
        has to be read.

        What was announced before is not announced again: take the future first, then look at
        the task.
        """
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._futures.setdefault(task_id, []).append(future)
        try:
            yield future
        finally:
            futures = self._futures.get(task_id, [])
            if future in futures:
                futures.remove(future)
            if not futures:
                self._futures.pop(task_id, None)

    def read_ends(self, transaction: Transaction) -> Mapping[str, str]:
        """Return the tasks that end in a transaction and are waited for, but the large ones.

        This is called by the writer thread; whoever begins to wait meanwhile reads by itself.
        """
        if not self._futures:
            return {}
        ended = (move.id for move in transaction.moves if move.state in FINAL)
        awaited = islice((each for each in ended if each in self._futures), _MOST_READ)
        found = ((each, queries.small_task(transaction.connection, each)) for each in awaited)
        return {task_id: task for task_id, task in found if task is not None}

    def announce(self, ended: Mapping[str, str]) -> None:
        """Answer those who wait for these ends with what `read_ends` found."""
        for task_id, task in ended.items():
            self._release(task_id, task)

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        """Answer those who still wait for one of these ends; they read it."""
        if self._futures:
            for move in moves:
                if move.state in FINAL:
                    self._release(move.id)

    async def release_all(self, patience: float) -> None:
        """Answer everybody, `patience` seconds after now if ends are on their way to the disk."""
        waiting = [future for futures in self._futures.values() for future in futures]
        if waiting:
            await asyncio.wait(waiting, timeout=patience)
        for task_id in list(self._futures):
            self._release(task_id)

    def _release(self, task_id: str, task: str | None = None) -> None:
        for future in self._futures.pop(task_id, ()):
            if not future.done():
                future.set_result(task)

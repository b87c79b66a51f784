"""Those who wait for a task's end: each has a future, which is done after the commit of the end."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL


class Waiters:
    """The futures of those who wait, by task."""

    def __init__(self) -> None:
        self._futures: dict[str, list[asyncio.Future[None]]] = {}

    @contextmanager
    def waiter(self, task_id: str) -> Iterator["asyncio.Future[None]"]:
        """Give a future that is done when the end of a task is announced.

        What was announced before is not announced again: take the future first, then look at
        the task.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures.setdefault(task_id, []).append(future)
        try:
            yield future
        finally:
            futures = self._futures.get(task_id, [])
            if future in futures:
                futures.remove(future)
            if not futures:
                self._futures.pop(task_id, None)

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        """Answer those who wait for one of these ends."""
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

    def _release(self, task_id: str) -> None:
        for future in self._futures.pop(task_id, ()):
            if not future.done():
                future.set_result(None)

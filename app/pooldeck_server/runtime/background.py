"""Work beside everything else: one that goes on as long as the server runs, and sets of short ones.

Scheduled tasks become due, pictures are built, what was measured is written: none of that may end,
unnoticed, with the first thing in it that nobody thought of.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Background:
    """One such work, on the event loop. Where it fails, the log has why, and it is begun again."""

    what: str  # what it does, in words for the log: "building the live picture"
    work: Callable[[], Awaitable[None]]  # returns only when there is nothing more to do, if ever
    pause: float = 2.0  # seconds from a failure to the next beginning

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                return await self.work()
            except Exception:  # noqa: BLE001 - whatever it is, the work goes on
                _log.exception("%s failed; it is begun again in %g s", self.what, self.pause)
            await asyncio.sleep(self.pause)


class BackgroundPart(ABC):
    """A part of the server that works in the background from its start to its stop."""

    doing: ClassVar[str]  # in words, for the log

    def start(self) -> None:
        self._background = Background(self.doing, self._run)
        self._background.start()

    async def stop(self) -> None:
        await self._background.stop()

    @abstractmethod
    async def _run(self) -> None: ...


class BackgroundTasks:
    """Short works on the event loop that nobody awaits; each is referred to until it has ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Wait for those that are under way, however they end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """End those that are under way, wherever they are."""
        for task in self._tasks:
            task.cancel()
        await self.finish()
